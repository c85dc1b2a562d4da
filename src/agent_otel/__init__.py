"""Makes the work of coding agents observable and reviewable with OpenTelemetry."""
