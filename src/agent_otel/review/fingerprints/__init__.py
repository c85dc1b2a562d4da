"""Fingerprints: names of kinds of failures that stay the same across runs, agents and repositories."""
