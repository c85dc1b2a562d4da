"""The run record: one document per run, the index to its logs (design.md §9).

Field names are settled: tools rely on them. Absent means not recorded; ``null`` is not written; lists of a record are
always written. Entries point back to the span they came from (``span``: ``trace_id/span_id``). Times are RFC 3339 text
in UTC with milliseconds, durations are seconds. A change of a field raises ``RECORD_VERSION`` and adds an upgrade
function in ``model/versions.py``.
"""

from __future__ import annotations

import inspect
from typing import Any, Literal

import msgspec

RECORD_VERSION = 1
SCHEMA_ID = f"agent-otel/run-record/{RECORD_VERSION}"

Lifecycle = Literal["open", "settled", "abandoned"]
Outcome = Literal["ended", "failed", "interrupted", "unknown"]
CommandResult = Literal["passed", "failed", "timed_out", "denied", "not_started", "unknown"]
VerificationOutcome = Literal["pass", "fail", "not_run", "unknown"]
Level = Literal["claimed", "observed", "bound", "attested"]
Verdict = Literal["proved", "stale", "contradicted", "failed", "claimed", "not_run", "unverifiable"]
ReviewState = Literal["done", "missing required evidence", "failing", "incomplete", "in progress"]
Severity = Literal["error", "warning", "info"]
Layer = Literal[
    "task description", "harness rules", "hooks", "tests", "code review", "human supervision",
    "implementation", "verification", "context", "handoff", "runway", "judging", "capture", "release process",
]  # fmt: skip


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every entry of a record has in common: where it came from."""

    span: str | None = None


class Agent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who ran."""

    name: str | None = None
    version: str | None = None
    service: str | None = None
    models: tuple[str, ...] = ()
    dialect: str | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check the contract requires; ``command`` is a glob over command lines."""

    name: str
    command: str | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the run was asked to do; ``follow_ups`` are what it was asked afterwards, in their order."""

    objective: str | None = None
    follow_ups: tuple[str, ...] = ()
    active_behavior: str | None = None
    scope: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    off_limits: tuple[str, ...] = ()
    acceptance: str | None = None
    branch: str | None = None
    required_checks: tuple[Check, ...] = ()
    missing: tuple[str, ...] = ()


class Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of the repository the run started from."""

    repository: str | None = None
    branch: str | None = None
    commit: str | None = None
    tree: str | None = None
    dirty: bool | None = None


class Final(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of the repository when the run ended."""

    commit: str | None = None
    tree: str | None = None
    dirty: bool | None = None


class ContextSource(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """Something the run worked from."""

    name: str
    digest: str | None = None


class FileInspected(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was read; ``span`` is the first read."""

    path: str
    reason: str | None = None
    reads: int = 1
    digest: str | None = None
    lines: str | None = None
    missing: tuple[str, ...] = ()


class ChangedFile(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was changed; ``source`` has ``tool`` (an edit was seen), ``git`` (the final diff shows it).

    ``last_edit`` is when the last edit by a tool was seen: what ran before it did not run on the final file.
    """

    path: str
    operation: str
    lines_added: int | None = None
    lines_removed: int | None = None
    edits: int | None = None
    read_before: bool | None = None
    old_path: str | None = None
    source: tuple[str, ...] = ()
    last_edit: str | None = None


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a command printed: size and digest of all of it, and its end."""

    bytes: int | None = None
    sha256: str | None = None
    tail: str | None = None


LARGEST_EVIDENCE = 32 * 1024 * 1024
"""Bytes of a file that are read to bind it to a record, and to hold it against one."""


class EvidenceFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that shows what a check or a command came to, as it was then; without ``sha256`` it was too large."""

    path: str
    sha256: str | None = None
    bytes: int | None = None
    modified: str | None = None


class Command(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A command that was run (or refused); ``files`` are reports that it wrote, bound by their digests."""

    id: str
    command: str
    result: CommandResult
    exit_code: int | None = None
    duration_s: float | None = None
    started: str | None = None
    observer: str | None = None
    directory: str | None = None
    tree: str | None = None
    output: Output | None = None
    files: tuple[EvidenceFile, ...] = ()
    missing: tuple[str, ...] = ()


class ToolCalls(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often a tool was called; ``failed`` includes ``denied``."""

    name: str
    calls: int
    failed: int = 0
    denied: int = 0
    cancelled: int = 0
    duration_s: float | None = None


class Failure(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A failure that was seen. ``source``: ``agent`` (it said so) or ``observed`` (the telemetry shows it).

    ``fingerprint`` is the same for the same failure in any run, of any agent; computed, as that of findings is.
    """

    id: str
    error: str | None = None
    command: str | None = None
    command_id: str | None = None
    tool: str | None = None
    error_type: str | None = None
    suspected_cause: str | None = None
    resolved_by: str | None = None
    source: str | None = None
    fingerprint: str | None = None
    missing: tuple[str, ...] = ()


class Alternative(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An option that was rejected, and why."""

    option: str
    reason: str | None = None


class Decision(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A choice that was made."""

    option: str
    alternatives: tuple[Alternative, ...] = ()
    based_on: tuple[str, ...] = ()
    source: str | None = None
    missing: tuple[str, ...] = ()


CheckKind = Literal["test", "lint", "types", "format", "build"]


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the output of a check counts: tests, or the problems of a linter as ``errors``; None where it is silent."""

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    errors: int | None = None


class Added(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was brought to a run from elsewhere: from where, by whom, of when, and which state of the code it is about.

    ``id`` is equal for the same evidence added again. ``merge_of`` is the commit that ``commit`` merged with others.
    ``coverage`` is a share of lines in percent.
    """

    id: str
    source: str
    by: str | None = None
    at: str | None = None
    commit: str | None = None
    merge_of: str | None = None
    exit_code: int | None = None
    coverage: float | None = None
    failing: tuple[str, ...] = ()
    tail: str | None = None


class Verification(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A check, whether it ran, and what that is worth. ``verdict`` is computed, never read from telemetry.

    ``evidence`` names commands and files; ``files`` are those of the files that are bound by their digests.
    ``derived`` where nobody declared it: a command line shows that it ran, and ``kind`` what sort of check it is.
    ``added`` where the run itself knew nothing of it: somebody brought the result later.
    """

    id: str
    check: str
    outcome: VerificationOutcome
    kind: CheckKind | None = None
    counts: Counts | None = None
    required: bool = False
    reason: str | None = None
    unavailable: bool | None = None
    level: Level | None = None
    verdict: Verdict | None = None
    verdict_reason: str | None = None
    command: str | None = None
    command_id: str | None = None
    tree: str | None = None
    evidence: tuple[str, ...] = ()
    files: tuple[EvidenceFile, ...] = ()
    derived: bool = False
    added: Added | None = None
    missing: tuple[str, ...] = ()


class NearMiss(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """What only a reviewer caught: who, what, and when it was said first.

    ``id`` is equal for the same marked again. ``files`` are where it was, ``layer`` is what should have caught it.
    """

    id: str
    caught_by: str
    what: str
    at: str | None = None
    files: tuple[str, ...] = ()
    layer: Layer | None = None


class Gate(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A decision on whether a tool call may happen."""

    tool: str
    outcome: str
    policy: str | None = None
    reason: str | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A limit and what was used of it (wall time in seconds)."""

    limit: float | None = None
    consumed: float | None = None
    exceeded: bool = False


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the models cost. ``from_metrics``: no call to a model told it, only metrics of the run's session."""

    model_calls: int = 0
    failed_model_calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cost_usd: float | None = None
    from_metrics: bool = False


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A success that a claim states of a kind of check. ``verdict`` is computed from what was seen of such checks."""

    kind: CheckKind
    text: str
    verdict: Verdict
    verdict_reason: str
    refs: tuple[str, ...] = ()


class Claim(_Entry, frozen=True, kw_only=True, omit_defaults=True):
    """What the agent said of its own work, kept apart from what was seen; ``verdict`` is its worst statement's."""

    text: str
    statements: tuple[Statement, ...] = ()
    verdict: Verdict | None = None


class Handoff(_Entry, frozen=True, kw_only=True, omit_defaults=False):
    """What the run left for the next reader."""

    status: str | None = None
    blockers: tuple[str, ...] = ()
    next_action: str | None = None
    assumptions: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    look_twice: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a rule says about the record; ``refs`` name entries by id, path or check."""

    rule: str
    severity: Severity
    message: str
    refs: tuple[str, ...] = ()
    layer: Layer | None = None
    fingerprint: str | None = None


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """What senders say they dropped."""

    spans: int = 0
    events: int = 0
    attributes: int = 0


class OpenSpan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A span that never ended."""

    span: str
    name: str
    started: str | None = None


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """How complete the telemetry behind the record is. ``limits`` name what it cannot show."""

    traces: tuple[str, ...] = ()
    spans: int = 0
    events: int = 0
    logs: int = 0
    duplicates: int = 0
    late: int = 0
    orphans: int = 0
    unrecognised: int = 0
    repaired: int = 0
    redactions: int = 0
    dropped: Dropped = Dropped()
    open_spans: tuple[OpenSpan, ...] = ()
    last_activity: str | None = None
    root_seen: bool = False
    complete: bool = False
    truncated: bool = False
    limits: tuple[str, ...] = ()


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what it knew, what it did, why it believed it was complete."""

    schema: str = SCHEMA_ID
    run_id: str
    revision: int = 1
    lifecycle: Lifecycle
    outcome: Outcome
    parent_run: str | None = None
    redo_of: tuple[str, ...] = ()
    agent: Agent = Agent()
    started: str | None = None
    ended: str | None = None
    duration_s: float | None = None
    task: Task = Task()
    base: Base = Base()
    final: Final = Final()
    context_sources: tuple[ContextSource, ...] = ()
    files_inspected: tuple[FileInspected, ...] = ()
    changed_files: tuple[ChangedFile, ...] = ()
    commands: tuple[Command, ...] = ()
    tool_calls: tuple[ToolCalls, ...] = ()
    failures: tuple[Failure, ...] = ()
    decisions: tuple[Decision, ...] = ()
    verifications: tuple[Verification, ...] = ()
    skipped_checks: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    budgets: dict[str, Budget] = {}
    usage: Usage = Usage()
    claims: tuple[Claim, ...] = ()
    open_risks: tuple[str, ...] = ()
    handoff: Handoff | None = None
    final_status: str | None = None
    near_misses: tuple[NearMiss, ...] = ()
    review_state: ReviewState | None = None
    findings: tuple[Finding, ...] = ()
    capture: Capture = Capture()


def to_builtins(record: RunRecord) -> dict[str, Any]:
    """The record as plain dicts and lists, without what was not recorded.

    Lists of the record itself are always there, empty or not, so that readers need not test for them.
    """
    plain: dict[str, Any] = msgspec.to_builtins(record)
    for part in (plain, plain["capture"], plain["handoff"] or {}):
        for name in [name for name, value in part.items() if value is None]:
            del part[name]
    return {name: value if name in _ALWAYS_WHOLE else _without_empty(value) for name, value in plain.items()}


_ALWAYS_WHOLE = frozenset({"capture", "handoff"})


def _without_empty(value: Any) -> Any:
    """The value without the empty lists in its entries.

    msgspec leaves out a default only where it is the very same object, which an empty tuple is on some Pythons only.
    """
    if isinstance(value, dict):
        return {
            name: _without_empty(inner) if inner.__class__ in _CONTAINERS else inner
            for name, inner in value.items()
            if inner or inner.__class__ not in _LISTS
        }
    return [_without_empty(inner) for inner in value] if isinstance(value, list | tuple) else value


_LISTS = frozenset({list, tuple})
_CONTAINERS = _LISTS | {dict}


def encode(record: RunRecord) -> bytes:
    """The record as one line of JSON; equal records give equal bytes."""
    return msgspec.json.encode(to_builtins(record))


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``encode``'s documents, made from the classes above."""
    schema = msgspec.json.schema(RunRecord)
    for part in schema["$defs"].values():
        part["description"] = inspect.cleandoc(part["description"])  # only Python 3.13 does so by itself
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
