"""GitHub Copilot CLI: the GenAI conventions, and what is its own around them."""
