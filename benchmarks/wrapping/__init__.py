"""What it costs to put `aipower-run`, and what it costs to put others, in front of a command."""
