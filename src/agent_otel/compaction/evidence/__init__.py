"""Evidence that others bring to a run: results of checks that came after it, said by whom and of which state."""
