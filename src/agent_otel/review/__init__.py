"""What a record is worth: verdicts, review state, findings. Pure functions over records."""
