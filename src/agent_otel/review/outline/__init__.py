"""What a reader is told about a record, and in which order; ``text`` says how it looks."""
