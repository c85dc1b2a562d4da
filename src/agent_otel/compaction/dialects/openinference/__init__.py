"""OpenInference, the conventions of Arize's instrumentations, whichever framework they instrument."""
