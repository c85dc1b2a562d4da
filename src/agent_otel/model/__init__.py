"""Values only: wire names, items, facts, run records, contracts. No input, no output, no clock."""
