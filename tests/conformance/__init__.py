"""What OTLP demands of a server, as a table; held against our processor and against the collector as the oracle.

Against any other server: ``python -m pytest tests/conformance --otlp-http http://host:4318 --otlp-grpc host:4317``.
"""
