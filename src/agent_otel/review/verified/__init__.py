"""Evidence held against the files and the repository that a reviewer has before him."""
