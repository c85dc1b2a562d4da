"""Dialects: what the telemetry of each kind of agent means. One small module and one line in the table each."""
