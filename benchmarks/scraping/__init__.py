"""What a scrape of `/metrics` costs: those who wait for it, and the agent."""
