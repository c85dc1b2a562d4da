"""Keeps pytest out of what the agent works on: its tests are meant to fail."""

collect_ignore = ["fixture", "expected"]
