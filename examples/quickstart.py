"""The shortest useful run: two tools, a real command, a check, a handoff. Then: ``agent-otel show last``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import agent_otel


@agent_otel.tool(reads="path", reason="why")
def read_file(path: Path, why: str) -> str:  # noqa: ARG001 - for the record: see tool(reason=...)
    """Reads a file, and says why."""
    return path.read_text(encoding="utf-8")


@agent_otel.tool(writes="path")
def write_file(path: Path, content: str) -> None:
    """Puts a text into a file."""
    path.write_text(content, encoding="utf-8")


def main() -> None:
    """Repairs a greeting, and shows that it works."""
    agent_otel.configure(service_name="quickstart")
    with tempfile.TemporaryDirectory() as folder:
        greeting = Path(folder) / "greeting.py"
        greeting.write_text("print('Helo')\n", encoding="utf-8")
        with agent_otel.run("Repair the greeting", agent="fixer", repo=folder, scope=["**"], exclusions=[]) as run:
            text = read_file(greeting, why="the greeting is misspelled")
            write_file(greeting, text.replace("Helo", "Hello"))
            said = run.command([sys.executable, str(greeting)])
            run.verification("greeting", evidence=said, passed=said.passed and said.output == "Hello\n")
            run.handoff("done", blockers=[], next_action="review")
    print("agent-otel show last")


if __name__ == "__main__":
    main()
