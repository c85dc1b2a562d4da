"""Runs an agent, or one command, under instruments: from outside, with no change to it."""
