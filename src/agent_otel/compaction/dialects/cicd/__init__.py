"""Telemetry of build servers: no agent's, and evidence of what agents left."""
