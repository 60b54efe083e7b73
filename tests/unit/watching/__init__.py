"""Metrics and health: what a worker tells those who watch it."""
