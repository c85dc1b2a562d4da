"""What can be wrong with a run: one small function a rule, one table."""
