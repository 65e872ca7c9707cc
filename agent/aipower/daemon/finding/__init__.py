"""Sensors that are missing at the start, or come and go."""
