"""Claude Code, as it reports itself: log events, and spans where its traces are switched on; either alone too."""
