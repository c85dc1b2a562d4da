"""``python -m agent_otel`` is ``agent-otel``."""

from agent_otel.cli.main import main

if __name__ == "__main__":
    main(prog_name="agent-otel")
