"""What the live page costs the agent, and how it does in a browser: `python -m benchmarks.live`."""
