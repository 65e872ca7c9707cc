"""The sampling thread: what is read when, and what becomes of a thread that fails or hangs."""
