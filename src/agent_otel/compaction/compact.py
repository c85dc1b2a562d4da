"""From the items of one group to its run records. Order, repetition and partition of the items do not matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from agent_otel.compaction import copies, measures
from agent_otel.compaction.bounds import bounded
from agent_otel.compaction.dialects.base import Dialect, Place
from agent_otel.compaction.dialects.table import DIALECTS
from agent_otel.compaction.evidence.brought import Brought, brought
from agent_otel.compaction.nested import once
from agent_otel.compaction.passes.capture import capture_of
from agent_otel.compaction.passes.commands import commands_of
from agent_otel.compaction.passes.costs import agent_of, budgets_of, usage_of
from agent_otel.compaction.passes.failures import failures_of
from agent_otel.compaction.passes.files import changed_of, inspected_of
from agent_otel.compaction.passes.lifecycle import life_of
from agent_otel.compaction.passes.task import (
    base_of,
    context_of,
    final_of,
    follow_ups_of,
    redo_of,
    task_of,
    task_started,
)
from agent_otel.compaction.passes.tools import gates_of, tool_calls_of
from agent_otel.compaction.passes.verifications import skipped_of, verifications_of
from agent_otel.compaction.passes.words import claims_of, decisions_of, handoff_of, risks_of
from agent_otel.compaction.paths import common_root
from agent_otel.compaction.policy import Policy
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.runs import Run, attribute, key_of
from agent_otel.compaction.times import rfc3339, seconds
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.fact import CommandRun
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord, Usage

MOST_KIN: Final = 1000
"""Of how many runs below a run it is asked what they were told to do and how they ended."""


def compact(
    items: Iterable[Span | Log],
    *,
    now_ns: int,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    dialects: Sequence[Dialect] = DIALECTS,
) -> list[RunRecord]:
    """The records of the runs in one group, the earliest run first.

    Findings, verdicts and the review state are left to ``agent_otel.review``. A group in which nothing is recognised
    gives one record that says so; one in which agents were only set up, or kept house, gives none.

    Args:
        items: spans and log records that share a trace, run or session.
        now_ns: the time it is; decides between an open and an abandoned run.
        policy: the limits.
        dialects: who reads the items, in the order in which they are asked.
    """
    everything, measured = copies.settle(items).parted(names.MEASURED)
    settled, said = everything.parted(*names.SAID_BY_OTHERS, names.RUN_LEFT)
    claims, unclaimed = _claims(settled.items, dialects)
    if not unclaimed and all(dialect.backdrop(item) for dialect in dialects for item in claims[dialect.name]):
        return []
    forest = Forest(settled.spans)
    seen = [sighting for dialect in dialects for sighting in dialect.read(claims[dialect.name], forest)]
    ranks = {dialect.name: rank for rank, dialect in enumerate(dialects)}
    runs = attribute(once(seen, forest, ranks), settled, forest, _placed(claims, dialects), unclaimed)
    below: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        below[run.parent_run].append(run)
    used = measures.used(runs, measured)
    others = brought(said)
    records = (_record(run, _family(run, below), used, now_ns=now_ns, policy=policy) for run in runs)
    return [bounded(others.to(record), policy) for record in records]


def brought_later(items: Iterable[Span | Log]) -> Brought:
    """What others say of runs; for runs whose own items are not there any more."""
    said = [item for item in items if isinstance(item, Log) and item.event_name in names.SAID_BY_OTHERS]
    return brought(copies.settle(said).logs)


def _claims(
    items: Sequence[Span | Log], dialects: Sequence[Dialect]
) -> tuple[Mapping[str, list[Span | Log]], frozenset[str]]:
    """The items each dialect claims, and the keys of those that none does."""
    claims: dict[str, list[Span | Log]] = {dialect.name: [] for dialect in dialects}
    unclaimed: list[Span | Log] = []
    for item in items:
        for dialect in dialects:
            if dialect.claims(item):
                claims[dialect.name].append(item)
                break
        else:
            unclaimed.append(item)
    return claims, frozenset(map(key_of, unclaimed))


def _placed(claims: Mapping[str, Iterable[Span | Log]], dialects: Iterable[Dialect]) -> Mapping[str, Place]:
    """The places of the items that name one, by their keys."""
    placed = ((item, dialect.place(item)) for dialect in dialects for item in claims[dialect.name])
    return {key_of(item): place for item, place in placed if place is not None}


def _family(run: Run, children: Mapping[str, Sequence[Run]]) -> Sequence[Run]:
    """The run with the runs below it, itself first; of very many the nearest."""
    family, known = [run], {run.run_id}
    for member in family:
        if len(family) > MOST_KIN:
            break
        new = [child for child in children.get(member.run_id, ()) if child.run_id not in known]
        known |= {child.run_id for child in new}
        family += new
    return family[:MOST_KIN]


def _record(run: Run, kin: Sequence[Run], used: Mapping[str, Usage], *, now_ns: int, policy: Policy) -> RunRecord:
    life = life_of(run, kin, now_ns=now_ns, policy=policy)
    started = task_started(kin)
    commands = commands_of(run)
    verifications = verifications_of(run, started, commands)
    handoff = handoff_of(run)
    root = _root_of(run)
    return RunRecord(
        run_id=run.run_id,
        lifecycle=life.lifecycle,
        outcome=life.outcome,
        parent_run=run.parent_run or None,
        redo_of=redo_of(run),
        agent=agent_of(run, started),
        started=rfc3339(life.start_ns),
        ended=rfc3339(life.end_ns),
        duration_s=seconds(life.start_ns, life.end_ns),
        task=task_of(started, follow_ups_of(run, started)),
        base=base_of(run),
        final=final_of(run),
        context_sources=context_of(run, started),
        files_inspected=inspected_of(run, root),
        changed_files=changed_of(run, root),
        commands=commands.entries,
        tool_calls=tool_calls_of(run),
        failures=failures_of(run, commands, verifications),
        decisions=decisions_of(run),
        verifications=verifications,
        skipped_checks=skipped_of(verifications),
        gates=gates_of(run),
        budgets=budgets_of(run, started),
        usage=used.get(run.run_id) or usage_of(run),
        claims=claims_of(run),
        open_risks=risks_of(run, handoff),
        handoff=handoff,
        final_status=handoff.status if handoff else None,
        capture=capture_of(run, life),
    )


def _root_of(run: Run) -> str:
    """Where the repository lies, as far as working directories tell."""
    stated = [text(item.resource.get(names.PROCESS_WORKING_DIRECTORY)) for item in run.spans[:1]]
    return common_root([*stated, *(fact.directory for fact in run.all(CommandRun))])
