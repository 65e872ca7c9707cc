"""Whom a process works for: its job, container and unit, from its control group and its environment."""
