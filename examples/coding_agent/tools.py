"""What the agent can do. Each tool is a span; inside of it the gates are asked first, then the sandbox acts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import agent_otel
from coding_agent.gates import GateChain
from coding_agent.policy import Call
from coding_agent.sandbox import Sandbox

Result = TypeVar("Result")


def gated(tool: Callable[..., Result]) -> Callable[..., Result]:
    """Asks the gates about a call inside of its span, so that a refusal is the end of that span."""

    @functools.wraps(tool)
    def asked(self: Toolbox, **arguments: Any) -> Result:
        self.gates.enforce(Call(tool.__name__, arguments))
        return tool(self, **arguments)

    return asked


class Toolbox:
    """The tools, by name.

    Args:
        sandbox: does what they do.
        gates: allow it.
    """

    def __init__(self, sandbox: Sandbox, gates: GateChain) -> None:
        self.sandbox = sandbox
        self.gates = gates
        self._tools: Mapping[str, Callable[..., Any]] = {
            "list_files": self.list_files,
            "read_file": self.read_file,
            "edit_file": self.edit_file,
            "run_command": self.run_command,
        }

    def call(self, call: Call) -> Any:
        """Calls a tool. Its paths are joined to the workspace; whether they stay inside is for others to say.

        Raises:
            Denied: a gate or the sandbox refused it, or there is no such tool.
        """
        tool = self._tools.get(call.tool)
        if tool is None:
            raise self._refused(call)
        arguments = dict(call.arguments)
        if "path" in arguments:
            arguments["path"] = self.sandbox.root / arguments["path"]
        return tool(**arguments)

    @agent_otel.tool
    @gated
    def list_files(self) -> str:
        """Lists the files of the workspace."""
        return "\n".join(self.sandbox.files())

    @agent_otel.tool(reads="path", reason="why")
    @gated
    def read_file(self, path: Path, why: str) -> str:  # noqa: ARG002 - for the record: see tool(reason=...)
        """Reads a file, and says why."""
        return self.sandbox.read(path)

    @agent_otel.tool(writes="path")
    @gated
    def edit_file(self, path: Path, old: str, new: str) -> str:
        """Replaces a text that stands exactly once in a file."""
        text = self.sandbox.read(path)
        if text.count(old) != 1:
            message = f"expected {old!r} once in the file, found it {text.count(old)} times"
            raise ValueError(message)
        self.sandbox.write(path, text.replace(old, new))
        return "edited"

    @agent_otel.tool
    @gated
    def run_command(self, argv: Sequence[str]) -> agent_otel.CommandResult:
        """Runs a command in the workspace."""
        return self.sandbox.run(argv)

    def _refused(self, call: Call) -> agent_otel.Denied:
        """Refuses a tool that does not exist, in a span of its own.

        Not through a decorated function: names that a model makes up would become labels of our metrics.
        """
        decision = self.gates.decide(call)
        reason = decision.reason if decision.outcome == "deny" else f"there is no tool {call.tool}"
        policy = decision.policy if decision.outcome == "deny" else "toolbox"
        agent_otel.gate(call.tool, "deny", policy=policy, reason=reason)
        return agent_otel.Denied(reason, policy=policy)
