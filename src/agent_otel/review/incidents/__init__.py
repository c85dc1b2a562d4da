"""Incidents: what of many runs deserves a post-mortem, and why."""
