"""What command lines do, as far as it can be told without running them: files read and written, checks run."""
