"""The commands in the order in which they started, with ids that other entries refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agent_otel.compaction.runs import Run
from agent_otel.compaction.times import rfc3339
from agent_otel.model.fact import CommandRun
from agent_otel.model.record import Command, Output


class Commands(NamedTuple):
    """The commands of a run: entries, the facts behind them in the same order, and entry ids by command id."""

    entries: tuple[Command, ...]
    facts: tuple[CommandRun, ...]
    ids: Mapping[str, str]


def commands_of(run: Run) -> Commands:
    """The commands of a run, c1 the first."""
    facts = run.all(CommandRun)
    entries = tuple(_entry(f"c{number}", fact) for number, fact in enumerate(facts, start=1))
    ids: dict[str, str] = {}
    for fact, entry in zip(facts, entries, strict=True):
        if fact.command_id:
            ids.setdefault(fact.command_id, entry.id)
    return Commands(entries, facts, ids)


def _entry(name: str, fact: CommandRun) -> Command:
    output = Output(bytes=fact.output_bytes, sha256=fact.output_sha256 or None, tail=fact.output_tail or None)
    return Command(
        id=name,
        command=fact.command,
        result=fact.result,
        exit_code=fact.exit_code,
        duration_s=None if fact.duration_s is None else round(fact.duration_s, 6),
        started=rfc3339(fact.time_ns),
        observer=fact.observer or None,
        directory=fact.directory or None,
        tree=fact.tree or None,
        output=output if output != Output() else None,
        files=fact.files,
        span=fact.ref or None,
        missing=fact.missing,
    )
