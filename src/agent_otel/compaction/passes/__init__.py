"""Passes: each makes one part of the record from the facts of a run."""
