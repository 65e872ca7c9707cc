"""Manners of a service: signals, reloads, and what systemd hears."""
