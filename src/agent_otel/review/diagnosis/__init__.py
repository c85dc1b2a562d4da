"""Which part of the harness a failure points to: one small function an explanation, tables that order them."""
