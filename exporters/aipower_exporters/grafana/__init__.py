"""Dashboards for Grafana, written in code: what they ask, how they are laid out, and their JSON."""
