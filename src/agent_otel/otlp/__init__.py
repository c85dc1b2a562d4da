"""From OTLP bytes to items and their decoded views; protobuf and JSON. No input, no output."""
