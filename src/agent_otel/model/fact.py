"""Facts: the closed set of typed statements a dialect may make about what happened.

Everything after the dialect works on these alone. A fact says where it was seen (``ref``: ``trace_id/span_id``, "" for
a log record without one), when (nanoseconds), and which run it names itself (``run_id``, "" where only its place in
the trace tells). ``event_id`` is equal for copies of one statement that came over several signals; "" means there is
only one. ``missing`` lists required fields (requirements.md §1) that were not given.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from agent_otel.model.contract import Contract
from agent_otel.model.record import CommandResult, EvidenceFile, VerificationOutcome

SpanOutcome = Literal["ok", "failed", "cancelled", "denied", "open", "unknown"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all facts have."""

    ref: str
    time_ns: int
    run_id: str = ""
    event_id: str = ""
    missing: tuple[str, ...] = ()


class AgentInvoked(Fact, frozen=True, kw_only=True, gc=False):
    """A span that bounds a run, or part of one; ``boundary`` tells an agent's own from a workflow around agents."""

    boundary: Literal["agent", "workflow"] = "agent"
    name: str = ""
    version: str = ""
    model: str = ""
    session: str = ""
    parent_run: str = ""
    redo_of: str = ""
    end_ns: int = 0
    outcome: SpanOutcome = "unknown"
    error_type: str = ""
    error: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None


class TaskStarted(Fact, frozen=True, kw_only=True, gc=False):
    """The run was given this task. ``stated`` is False where the task was read off a model's input.

    ``from_user`` is True of each prompt of a person to a session that goes on.
    """

    contract: Contract = Contract()
    stated: bool = True
    from_user: bool = False
    agent: str = ""
    parent_run: str = ""
    redo_of: str = ""


class BaseSeen(Fact, frozen=True, kw_only=True, gc=False):
    """The repository the run started from."""

    repository: str = ""
    branch: str = ""
    commit: str = ""
    tree: str = ""
    dirty: bool | None = None


class FileRead(Fact, frozen=True, kw_only=True, gc=False):
    """A file was read, with success."""

    path: str
    reason: str = ""
    digest: str = ""
    lines: str = ""


class FileChanged(Fact, frozen=True, kw_only=True, gc=False):
    """A file was changed, with success: an edit by ``tool`` was seen, or the final ``git`` diff lists it.

    ``operation`` is create, edit, delete, move, or write where the file was created or overwritten, nobody says which.
    """

    path: str
    operation: str = "edit"
    lines_added: int | None = None
    lines_removed: int | None = None
    old_path: str = ""
    source: Literal["tool", "git"] = "tool"


class CommandRun(Fact, frozen=True, kw_only=True, gc=False):
    """A command was run, refused, or not started. ``time_ns`` is its start; ``duration_s`` None where unknown."""

    command: str
    result: CommandResult
    command_id: str = ""
    exit_code: int | None = None
    duration_s: float | None = None
    observer: str = ""
    directory: str = ""
    tree: str = ""
    output_bytes: int | None = None
    output_sha256: str = ""
    output_tail: str = ""
    files: tuple[EvidenceFile, ...] = ()


class FailureSeen(Fact, frozen=True, kw_only=True, gc=False):
    """Something failed: the agent said so (``stated``), or the telemetry shows it."""

    error: str = ""
    command: str = ""
    command_id: str = ""
    tool: str = ""
    error_type: str = ""
    suspected_cause: str = ""
    stated: bool = True


class DecisionMade(Fact, frozen=True, kw_only=True, gc=False):
    """A choice, with (option, reason) pairs of what was rejected; ``stated`` is False where it was read off a text."""

    option: str
    alternatives: tuple[tuple[str, str], ...] = ()
    based_on: tuple[str, ...] = ()
    stated: bool = True


class VerificationRan(Fact, frozen=True, kw_only=True, gc=False):
    """A check ran, or was skipped (``not_run`` with a reason).

    ``evidence`` holds command ids or file names, and ``files`` what was seen of these files.
    """

    check: str
    outcome: VerificationOutcome
    required: bool = False
    reason: str = ""
    unavailable: bool | None = None
    evidence: tuple[str, ...] = ()
    files: tuple[EvidenceFile, ...] = ()
    derived: bool = False


class HandoffWritten(Fact, frozen=True, kw_only=True, gc=False):
    """The run's word to the next reader."""

    status: str = ""
    blockers: tuple[str, ...] = ()
    next_action: str = ""
    assumptions: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    look_twice: tuple[str, ...] = ()


class ToolCalled(Fact, frozen=True, kw_only=True, gc=False):
    """A tool call happened, or was attempted; ``command_id`` names the command it ran, where it ran one."""

    name: str
    call_id: str = ""
    command_id: str = ""
    outcome: SpanOutcome = "unknown"
    error_type: str = ""
    error: str = ""
    duration_s: float | None = None


class ModelCalled(Fact, frozen=True, kw_only=True, gc=False):
    """A call to a model. ``call_id`` (the response id) makes copies of one call equal."""

    model: str = ""
    call_id: str = ""
    end_ns: int = 0
    failed: bool = False
    error_type: str = ""
    error: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cost_usd: float | None = None


class GateDecided(Fact, frozen=True, kw_only=True, gc=False):
    """A gate let a tool call pass, refused it, or asked for approval."""

    tool: str
    outcome: str
    policy: str = ""
    reason: str = ""


class BudgetSpent(Fact, frozen=True, kw_only=True, gc=False):
    """What was used of a budget. The latest fact of a budget counts; ``exceeded`` stays once said."""

    budget: str
    limit: float | None = None
    consumed: float | None = None
    exceeded: bool = False


class ContextLoaded(Fact, frozen=True, kw_only=True, gc=False):
    """A source of context the run worked from."""

    name: str
    digest: str = ""


class RiskNoted(Fact, frozen=True, kw_only=True, gc=False):
    """A risk the run leaves open."""

    text: str


class Claimed(Fact, frozen=True, kw_only=True, gc=False):
    """The agent's own final words."""

    text: str


class RunFinished(Fact, frozen=True, kw_only=True, gc=False):
    """The state of the repository at the end; ``changed_total`` exceeds the facts where the list was cut."""

    commit: str = ""
    tree: str = ""
    dirty: bool | None = None
    changed_total: int | None = None
    outcome: SpanOutcome = "unknown"


class RunAlive(Fact, frozen=True, kw_only=True, gc=False):
    """A heartbeat: the run was alive then. ``open_spans`` are the names of what was going on."""

    open_spans: tuple[str, ...] = ()


class SecretsRedacted(Fact, frozen=True, kw_only=True, gc=False):
    """So many secrets were masked in this span or event before it left the process."""

    count: int


class LimitNoticed(Fact, frozen=True, kw_only=True, gc=False):
    """Something this telemetry cannot show, as a short name for ``capture.limits``."""

    limit: str


AnyFact = Union[  # noqa: UP007 - X | Y of classes reads worse over eighteen lines
    AgentInvoked,
    TaskStarted,
    BaseSeen,
    FileRead,
    FileChanged,
    CommandRun,
    FailureSeen,
    DecisionMade,
    VerificationRan,
    HandoffWritten,
    ToolCalled,
    ModelCalled,
    GateDecided,
    BudgetSpent,
    ContextLoaded,
    RiskNoted,
    Claimed,
    RunFinished,
    RunAlive,
    SecretsRedacted,
    LimitNoticed,
]
