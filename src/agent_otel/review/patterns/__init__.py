"""The five known patterns of the quarterly review: what of many runs points to the setup, and not to one run."""
