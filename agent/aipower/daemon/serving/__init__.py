"""What the agent answers over HTTP, and how."""
