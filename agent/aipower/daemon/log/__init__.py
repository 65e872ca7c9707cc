"""The log: written without holding anybody up, readable, and never a flood."""
