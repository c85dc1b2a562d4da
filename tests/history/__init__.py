"""A history of runs in which incidents were planted: made by real agents once, and replayed on other days."""
