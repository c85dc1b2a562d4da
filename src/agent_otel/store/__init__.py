"""Where items and records are kept."""
