"""From the items of one group to its run records: dialects, passes, compact. Pure."""
