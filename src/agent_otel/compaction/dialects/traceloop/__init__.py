"""OpenLLMetry and Traceloop's SDK, in so far as they do not follow the GenAI conventions."""
