"""Runs of agents as data: the steps of each are done with the SDK, and its record is made of what that sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

import agent_otel
from agent_otel.model.record import Base, RunRecord
from agent_otel.sdk.run import Run
from agent_otel.testing import record_runs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER: Final = Path(__file__).parent / "data" / "review" / "patterns"


def cases() -> dict[str, dict[str, Any]]:
    """The files of the folder, by their names without the ending."""
    return {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.toml"))}


def records_of(runs: Sequence[Mapping[str, Any]]) -> list[RunRecord]:
    """The records of runs, one after the other.

    Each has an ``id``, ``steps``, and may have arguments of ``run`` under ``task``, a ``repository`` and
    ``branch``, and ``parts``: runs of which it is the parent, which are over before its own steps begin.
    """
    with record_runs() as recorded:
        for run in runs:
            _do(run)
    where = {run["id"]: Base(repository=run.get("repository"), branch=run.get("branch")) for run in runs}
    return [replace(each, base=where.get(each.run_id, Base())) for each in recorded.records]


def _do(told: Mapping[str, Any]) -> None:
    task = {"objective": "Do it", **told.get("task", {})}
    with agent_otel.run(id=told["id"], repo=Path.cwd().anchor, **task) as run:
        for part in told.get("parts", ()):
            _do(part)
        for word, *arguments in told["steps"]:
            STEPS[word](run, *arguments)


def _called(run: Run, line: str, *gates: str) -> None:
    """A call of a shell that runs a line; gates decide before, each told as ``outcome by policy: reason``."""

    @agent_otel.tool(name="shell")
    def shell() -> None:
        for gate in gates:
            decided, _, reason = gate.partition(": ")
            outcome, _, policy = decided.partition(" by ")
            if outcome == "deny":
                raise agent_otel.Denied(reason, policy=policy)
            run.gate("shell", outcome, policy=policy, reason=reason)  # type: ignore[arg-type]  # words of the data
        run.record_command(line, exit_code=0)

    try:
        shell()
    except agent_otel.Denied:
        return


STEPS: Final[Mapping[str, Callable[..., object]]] = {
    "shell": _called,
    "ran": lambda run, line, code=0: run.record_command(line, exit_code=code),
    "denied": lambda run, line: run.record_command(line, result="denied"),
    "gate": lambda run, tool, outcome, reason="": run.gate(tool, outcome, reason=reason),
    "read": lambda run, path: run.file_read(path, reason="to know it"),
    "edit": lambda run, path: run.file_changed(path),
    "create": lambda run, path: run.file_changed(path, operation="create"),
    "decide": lambda run, option, rejected, why: run.decision(option, alternatives={rejected: why}),
    "risk": lambda run, text: run.risk(text),
    "say": lambda run, text: run.final_message(text),
    "assume": lambda run, text: run.handoff("done", blockers=[], next_action="merge", assumptions=[text]),
}
"""What a step is called to what it does."""
