"""litellm's own telemetry, and with it that of agents which have none of theirs, such as mini-swe-agent."""
