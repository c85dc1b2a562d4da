"""The shared store: a PostgreSQL database that any number of processors use at once."""
