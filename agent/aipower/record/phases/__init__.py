"""Phases: what a run's programs say they are doing, and which of the run's energy that took."""
