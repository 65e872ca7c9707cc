"""The runs that the agent may show: what is in a store, read with care, and to whom it is shown (decision 026)."""
