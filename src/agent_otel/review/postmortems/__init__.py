"""Post-mortems of agent runs: a page that a record fills as far as it knows, and what a finished page has to hold."""
