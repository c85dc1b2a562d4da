"""The quarterly review: what runs and their post-mortems have in common, so that one change can replace several."""
