"""The live page and the JSON API: what the agent tells them, and how their answers go out."""
