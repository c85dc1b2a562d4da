"""The figures of a report: what ``agent-otel report --json`` prints and the page shows.

Shares are between 0 and 1, durations in seconds. A list that is cut to its most telling rows says so by its name.
"""

from __future__ import annotations

from typing import Final

import msgspec

from agent_otel.model.record import Layer, ReviewState, Severity

SCHEMA: Final = "agent-otel/report/1"


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a report; every field is always written."""


class Spread(_Part, frozen=True, kw_only=True):
    """Lengths of time: how many, their sum, and how they lie. Percentiles are within 2 %."""

    count: int
    total: float
    p50: float
    p90: float
    p99: float
    max: float


class Count(_Part, frozen=True, kw_only=True):
    """How often a thing was there."""

    name: str
    count: int


class Line(_Part, frozen=True, kw_only=True):
    """One value for each step of a time axis; None where there is nothing to tell."""

    name: str
    values: tuple[float | None, ...]


class OverTime(_Part, frozen=True, kw_only=True):
    """Lines over one time axis. ``starts`` are the first days of its steps, each a ``unit`` long."""

    unit: str
    starts: tuple[str, ...]
    lines: tuple[Line, ...]


class Headline(_Part, frozen=True, kw_only=True):
    """The state of evidence in a few numbers."""

    runs: int
    done: int
    to_review: int
    required_checks: int
    required_proved: int
    stale: int
    contradicted: int
    contradicted_claims: int
    regressions: int


class CheckRow(_Part, frozen=True, kw_only=True):
    """A required check: in how many runs, and what it was worth at the end of them."""

    check: str
    runs: int
    proved: int
    failed: int
    not_run: int
    stale: int
    contradicted: int
    unproved_otherwise: int


class RuleRow(_Part, frozen=True, kw_only=True):
    """A rule, what it notices, its worst severity, the layer it points to most often, its findings and their runs."""

    rule: str
    summary: str
    severity: Severity
    layer: Layer | None
    findings: int
    runs: int


class Reason(_Part, frozen=True, kw_only=True):
    """Why a run is in its state: a check with its verdict, a finding with its severity, a blocker."""

    label: str
    text: str


class RunRow(_Part, frozen=True, kw_only=True):
    """A run, where it stands, and what a reviewer does next."""

    run_id: str
    started: str | None
    agent: str | None
    repository: str | None
    objective: str | None
    state: ReviewState | None
    required_checks: int
    required_proved: int
    errors: int
    warnings: int
    duration_s: float | None
    next_step: str
    why: tuple[Reason, ...]


class Runs(_Part, frozen=True, kw_only=True):
    """Throughput, and where the runs stand."""

    first_started: str | None
    last_started: str | None
    states: tuple[Count, ...]
    lifecycles: tuple[Count, ...]
    outcomes: tuple[Count, ...]
    duration: Spread | None
    states_over_time: OverTime
    duration_over_time: OverTime
    required_checks: tuple[Count, ...]
    worst_checks: tuple[CheckRow, ...]
    findings_by_rule: tuple[RuleRow, ...]
    findings_by_layer: tuple[Count, ...]
    first_to_review: tuple[RunRow, ...]


class ToolRow(_Part, frozen=True, kw_only=True):
    """A tool: how often it was called, and what came of it; ``failed`` includes ``denied``.

    A record has the time of all calls of a tool together: so there is ``mean_s`` and no spread.
    """

    tool: str
    runs: int
    calls: int
    failed: int
    denied: int
    cancelled: int
    failure_rate: float | None
    mean_s: float | None


class ProgramRow(_Part, frozen=True, kw_only=True):
    """The commands of one program."""

    program: str
    commands: int
    failed: int
    timed_out: int
    denied: int
    failure_rate: float | None
    duration: Spread | None


class CommandRow(_Part, frozen=True, kw_only=True):
    """One command of one run."""

    run_id: str
    command: str
    result: str
    duration_s: float | None


class Tools(_Part, frozen=True, kw_only=True):
    """What the runs called and ran.

    ``retried`` are failed commands that their run ran again, ``retried_in_vain`` those that then never passed, and
    ``never_repeated`` those that it neither ran again nor says it overcame otherwise.
    """

    calls: int
    failed_calls: int
    denied_calls: int
    cancelled_calls: int
    commands: int
    failed_commands: int
    timed_out_commands: int
    denied_commands: int
    command_duration: Spread | None
    most_called: tuple[ToolRow, ...]
    most_run: tuple[ProgramRow, ...]
    slowest: tuple[CommandRow, ...]
    denials_by_policy: tuple[Count, ...]
    failures_over_time: OverTime
    retried: int
    retried_in_vain: int
    never_repeated: int
    latest_never_repeated: tuple[CommandRow, ...]


class CoverageRow(_Part, frozen=True, kw_only=True):
    """How much of the work was verified: of the runs that changed files, those in which some check is proved."""

    name: str
    runs: int
    changed: int
    verified: int
    coverage: float | None
    required: int
    required_proved: int


class RegressionRow(_Part, frozen=True, kw_only=True):
    """A check that failed after the handoff."""

    run_id: str
    started: str | None
    message: str


class FailureRow(_Part, frozen=True, kw_only=True):
    """A kind of failure: how often, in how many runs, how often nothing resolved it, and one such text."""

    fingerprint: str
    failures: int
    runs: int
    unresolved: int
    example: str


class Evidence(_Part, frozen=True, kw_only=True):
    """What the runs' checks are worth, and their words beside it."""

    verdicts: tuple[Count, ...]
    verdicts_over_time: OverTime
    shares_over_time: OverTime
    by_repository: tuple[CoverageRow, ...]
    by_agent: tuple[CoverageRow, ...]
    claims: tuple[Count, ...]
    regressions: int
    regressions_over_time: OverTime
    latest_regressions: tuple[RegressionRow, ...]
    most_frequent_failures: tuple[FailureRow, ...]


class BudgetRow(_Part, frozen=True, kw_only=True):
    """A budget: how many runs had a limit, how many exceeded it, and which part of it they used."""

    budget: str
    runs: int
    limited: int
    exceeded: int
    consumed: float | None
    used_share: Spread | None


class SpendRow(_Part, frozen=True, kw_only=True):
    """What the runs of an agent, of a model or on a repository used."""

    name: str
    runs: int
    model_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    hours: float


class Budgets(_Part, frozen=True, kw_only=True):
    """What the runs used, as far as it was told: ``tokens_known`` and ``cost_known`` are runs that told it."""

    model_calls: int
    failed_model_calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    tokens_known: int
    cost_usd: float | None
    cost_known: int
    tokens_over_time: OverTime
    cost_over_time: OverTime
    budgets: tuple[BudgetRow, ...]
    by_agent: tuple[SpendRow, ...]
    by_model: tuple[SpendRow, ...]
    by_repository: tuple[SpendRow, ...]


class Stored(_Part, frozen=True, kw_only=True):
    """What the store holds; ``waiting`` are groups of items that are not folded yet."""

    items: int
    duplicates: int
    expired: int
    groups: int
    waiting: int
    records: tuple[Count, ...]


class Processor(_Part, frozen=True, kw_only=True):
    """What arrived, how often records were written anew, and what telemetry could not show.

    ``stored`` is None where the records were not read from a store.
    """

    stored: Stored | None
    spans: int
    events: int
    logs: int
    duplicates: int
    late: int
    orphans: int
    unrecognised: int
    repaired: int
    redactions: int
    dropped_by_senders: int
    incomplete_runs: int
    truncated_runs: int
    revisions: tuple[Count, ...]
    dialects: tuple[Count, ...]
    limits: tuple[Count, ...]


class Report(_Part, frozen=True, kw_only=True):
    """All figures: the state of evidence first, then the five views."""

    schema: str = SCHEMA
    headline: Headline
    runs: Runs
    tools: Tools
    evidence: Evidence
    budgets: Budgets
    processor: Processor
