"""Codex, as it reports itself: log events with arguments and outputs, and copies of them without, on its spans."""
