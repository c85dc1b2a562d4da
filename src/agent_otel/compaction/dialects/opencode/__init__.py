"""opencode: spans of its effects, of the AI SDK inside, and log records whose bodies are lists."""
