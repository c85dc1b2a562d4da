"""Gemini CLI: a session in the resource, spans without a root, and logs that know more of tools than they do."""
