"""Qwen Code: a fork of Gemini CLI, much changed: a trace for each prompt, near to the GenAI conventions."""
