"""What was added to runs from elsewhere, as verifications: after the run's own, and apart from all that it did.

Evidence says which run it is for. It makes no run, and nothing of a run depends on it: not when it began or ended, nor
whose it is. The same evidence added again counts once, as of when it was added first. What a pipeline told of one of
its spans counts as that span's last word. All of it counts, in whatever order it came: a result never replaces another.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final as Constant, NamedTuple, get_args

from msgspec.structs import replace

from agent_otel.compaction.order import canonical
from agent_otel.compaction.reading.files import evidence_files
from agent_otel.compaction.reading.values import count, number, text, texts, whole
from agent_otel.compaction.times import rfc3339
from agent_otel.model import names
from agent_otel.model.item import Log
from agent_otel.model.record import (
    Added,
    Counts,
    Final,
    RunRecord,
    Verification,
    VerificationOutcome,
)

PIPELINE: Constant = "pipeline"
SUITE: Constant = "suite"
CASE: Constant = "case"
MOST_FAILING: Constant = 20
"""Names of failed tests that are kept of those that came one by one."""

_OUTCOMES: Constant[Mapping[str, VerificationOutcome]] = {word: word for word in get_args(VerificationOutcome)}


class Late(NamedTuple):
    """A piece of evidence: the verification that it makes, and where in a pipeline it comes from.

    ``kind`` is "" for what was not read from a pipeline's telemetry; ``case`` is the test where it is one test's.
    """

    time_ns: int
    entry: Verification
    added: Added
    kind: str = ""
    trace: str = ""
    case: str = ""


def evidence_in(logs: Iterable[Log]) -> Mapping[str, tuple[Late, ...]]:
    """The evidence of each run, by run id, the earliest first.

    Args:
        logs: events that others add to runs, in any order; those of evidence are read.
    """
    by_run: dict[str, list[tuple[Log, Late]]] = defaultdict(list)
    for log in logs:
        run_id, check = text(log.attributes.get(names.RUN_ID)), text(log.attributes.get(names.VERIFICATION_CHECK))
        if run_id and check and log.event_name == names.EVIDENCE_ADDED:
            by_run[run_id].append((log, _late(log, check)))
    return {run_id: tuple(sorted(_gathered(_once(found)), key=_order)) for run_id, found in by_run.items()}


def with_evidence(record: RunRecord, found: Sequence[Late]) -> RunRecord:
    """The record with this evidence behind its own verifications; what it has already stays as it is.

    What a pipeline told counts where it is about the very state that the run left: it names no run. Its result as a
    whole counts where the pipeline told nothing of its parts, or the contract asks for
    it by name.
    """
    required = {check.name for check in record.task.required_checks}
    known = {entry.added.id for entry in record.verifications if entry.added is not None}
    left = left_something(record)
    found = [late for late in found if not late.kind or (left and _is_about(late, record.final))]
    parts = {late.trace for late in found if late.kind not in ("", PIPELINE)}
    entries = list(record.verifications)
    for late in found:
        whole_pipeline = late.kind == PIPELINE and late.trace in parts and late.entry.check not in required
        if late.added.id not in known and not whole_pipeline:
            named = replace(late.entry, id=f"v{len(entries) + 1}", required=late.entry.check in required)
            entries.append(replace(named, added=late.added))
    if len(entries) == len(record.verifications):
        return record
    ran = {entry.check for entry in entries if entry.added is not None and entry.outcome != "not_run"}
    checks = {entry.id: entry.check for entry in record.verifications}
    skipped = tuple(name for name in record.skipped_checks if checks.get(name) not in ran)
    return replace(record, verifications=tuple(entries), skipped_checks=skipped)


def left_something(record: RunRecord) -> bool:
    """True for a run that changed the repository: of one that did not, no pipeline can tell anything."""
    base, final = record.base.commit, record.final.commit
    return bool(record.changed_files) or (base is not None and final is not None and base != final)


def _is_about(late: Late, final: Final) -> bool:
    commit = final.commit if final.dirty is False else None
    return (final.tree is not None and late.entry.tree == final.tree) or (
        commit is not None and commit in (late.added.commit, late.added.merge_of)
    )


def _late(log: Log, check: str) -> Late:
    get = log.attributes.get
    exit_code = whole(get(names.EVIDENCE_EXIT_CODE))
    counted = [count(get(name)) for name in _COUNTS]
    entry = Verification(
        id="",
        check=check,
        outcome=_OUTCOMES.get(text(get(names.VERIFICATION_OUTCOME)), "unknown"),
        counts=Counts(**dict(zip(_COUNTS.values(), counted, strict=True))) if any(_told(counted)) else None,
        reason=text(get(names.VERIFICATION_REASON)) or None,
        tree=text(get(names.EVIDENCE_TREE)) or None,
        files=evidence_files(get(names.VERIFICATION_FILES)),
        span=log.ref or None,
    )
    added = Added(
        id=text(get(names.EVIDENCE_ID)) or _digest(log.attributes),
        source=text(get(names.EVIDENCE_SOURCE)) or "unknown",
        by=text(get(names.EVIDENCE_BY)) or None,
        at=rfc3339(log.time_ns),
        commit=text(get(names.EVIDENCE_COMMIT)) or None,
        merge_of=text(get(names.EVIDENCE_MERGE_OF)) or None,
        exit_code=exit_code,
        coverage=number(get(names.EVIDENCE_COVERAGE)),
        failing=texts(get(names.EVIDENCE_FAILING)),
        tail=text(get(names.EVIDENCE_TAIL)) or None,
    )
    kind = text(get(names.EVIDENCE_KIND)) if log.ref else ""
    return Late(log.time_ns, entry, added, kind, log.trace_id if kind else "", text(get(names.EVIDENCE_CASE)))


_COUNTS: Constant[Mapping[str, str]] = {
    names.EVIDENCE_PASSED: "passed",
    names.EVIDENCE_FAILED: "failed",
    names.EVIDENCE_SKIPPED: "skipped",
    names.EVIDENCE_ERRORS: "errors",
}


def _told(counted: Iterable[int | None]) -> Iterator[bool]:
    return (number is not None for number in counted)


def _digest(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def _once(found: Iterable[tuple[Log, Late]]) -> Iterator[Late]:
    """One telling of each: the first of what somebody added again, the last of what became of a pipeline's span.

    The last is the one whose copy of the span counts by the rules of ``copies``: its end, then the digest that is
    its id.
    """
    first: dict[str, tuple[int, bytes, Late]] = {}
    last: dict[tuple[str, str], tuple[int, str, bytes, Late]] = {}
    for log, late in found:
        rest = log.digest or canonical(log)
        if late.kind:
            told = (log.time_ns, late.added.id, rest, late)
            place = (log.ref, late.kind)
            if place not in last or told[:3] > last[place][:3]:
                last[place] = told
        elif late.added.id not in first or (log.time_ns, rest) < first[late.added.id][:2]:
            first[late.added.id] = (log.time_ns, rest, late)
    yield from (told[-1] for told in first.values())
    yield from (told[-1] for told in last.values())


def _gathered(found: Iterable[Late]) -> Iterator[Late]:
    """The evidence with what was told of a suite and of its tests, one by one, as one piece."""
    suites: dict[str, list[Late]] = defaultdict(list)
    for late in found:
        if late.kind not in (SUITE, CASE):
            yield late
        else:
            entry, added = late.entry, late.added
            about = (late.trace, entry.check, entry.tree, added.source, added.commit, added.merge_of)
            suites[_digest(about)].append(late)
    yield from (_suite(name, sorted(told, key=_order)) for name, told in suites.items())


def _suite(name: str, told: Sequence[Late]) -> Late:
    failed = [late for late in told if late.entry.outcome == "fail"]
    passed = [late for late in told if late.entry.outcome == "pass"]
    stands = (failed or told)[0]
    outcome: VerificationOutcome = "fail" if failed else "pass" if len(passed) == len(told) else "unknown"
    counts = Counts(passed=_tests(passed), failed=_tests(failed)) if _tests(told) else None
    failing = sorted({late.case for late in failed} - {""})[:MOST_FAILING]
    added = replace(stands.added, id=name, at=told[-1].added.at, failing=tuple(failing))
    entry = replace(stands.entry, outcome=outcome, counts=counts)
    return stands._replace(time_ns=told[-1].time_ns, entry=entry, added=added)


def _tests(told: Iterable[Late]) -> int:
    return sum(late.kind == CASE for late in told)


def _order(late: Late) -> tuple[int, str, str, str]:
    return (late.time_ns, late.entry.check, late.added.id, late.trace)
