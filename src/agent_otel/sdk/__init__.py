"""The instrumented program's side: decorators, runs, events, commands, gates, budgets."""
