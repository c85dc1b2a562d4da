"""What an audit found, in the words of whoever asked: people, programs, forges. Pure functions, one file for each."""
