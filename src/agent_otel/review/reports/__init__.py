"""Reports that test and coverage tools write, read from their bytes."""
