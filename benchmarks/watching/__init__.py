"""What it costs to watch a node: aipower and its rivals on one fake driver, and how the cost grows."""
