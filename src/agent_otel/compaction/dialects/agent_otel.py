"""The dialect of this SDK: its spans, and its events by name.

Recognised by the instrumentation scope. Values are read without trust: what has the wrong type is not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, get_args

from agent_otel.compaction.dialects.base import Sighting
from agent_otel.compaction.dialects.contracts import contract
from agent_otel.compaction.dialects.events import Event, events_of
from agent_otel.compaction.dialects.values import count, flag, mapping, number, text, texts, whole
from agent_otel.compaction.times import NS, seconds
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span
from agent_otel.model.record import CommandResult, VerificationOutcome

T = TypeVar("T")

RUN_OUTCOMES: Final[Mapping[str, fact.SpanOutcome]] = {"ended": "ok", "failed": "failed", "cancelled": "cancelled"}
TOOL_OUTCOMES: Final[Mapping[str, fact.SpanOutcome]] = {
    names.ERROR_DENIED: "denied",
    names.ERROR_CANCELLED: "cancelled",
}


class AgentOtel:
    """Reads what ``agent_otel`` itself emits."""

    name = "agent_otel"

    def claims(self, item: Span | Log) -> bool:
        """Everything of our instrumentation scope."""
        return item.scope == names.SCOPE

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:  # noqa: ARG002 - our items say themselves where they belong
        """The facts of spans and events."""
        events = events_of(items)
        told = {event.attributes.get(names.COMMAND_ID) for event in events if event.name == names.COMMAND_RUN}
        for item in items:
            if isinstance(item, Span):
                for seen in _of_span(item, told):
                    yield Sighting(seen, item, self.name)
        for event in events:
            for seen in EVENTS.get(event.name, _nothing)(event):
                yield Sighting(seen, event.item, self.name)
            yield from (Sighting(seen, event.item, self.name) for seen in _redactions(event.about, event.attributes))


def _of_span(span: Span, told: set[Any]) -> Iterator[fact.AnyFact]:
    about = {"ref": span.ref, "time_ns": span.start_ns, "run_id": text(span.attributes.get(names.RUN_ID))}
    yield from SPANS.get(text(span.attributes.get(names.OPERATION_NAME)), _no_span)(span, about, told)
    yield from _redactions(about, span.attributes)


def _run(span: Span, about: dict[str, Any], told: set[Any]) -> Iterator[fact.AnyFact]:  # noqa: ARG001 - one shape for all
    attributes = span.attributes
    stated = RUN_OUTCOMES.get(text(attributes.get(names.RUN_OUTCOME)), "failed" if span.status == ERROR else "unknown")
    workflow = text(attributes.get(names.WORKFLOW_NAME))
    yield fact.AgentInvoked(
        **about,
        boundary="workflow" if workflow else "agent",
        name=text(attributes.get(names.AGENT_NAME)) or workflow,
        version=text(attributes.get(names.AGENT_VERSION)),
        model=text(attributes.get(names.REQUEST_MODEL)),
        session=text(attributes.get(names.CONVERSATION_ID)),
        parent_run=text(attributes.get(names.RUN_PARENT)),
        end_ns=span.end_ns,
        outcome=stated if span.end_ns else "open",
        error_type=text(attributes.get(names.ERROR_TYPE)),
        error=span.status_message,
        input_tokens=count(attributes.get(names.INPUT_TOKENS)),
        output_tokens=count(attributes.get(names.OUTPUT_TOKENS)),
    )
    if objective := text(attributes.get(names.TASK_OBJECTIVE)):
        yield fact.TaskStarted(**about, contract=Contract(objective=objective), stated=False)
    for budget in names.BUDGETS:
        limit = number(attributes.get(names.budget_limit(budget)))
        consumed = number(attributes.get(names.budget_consumed(budget)))
        if limit is not None or consumed is not None:
            at_end = {**about, "time_ns": span.end_ns or span.start_ns}
            yield fact.BudgetSpent(**at_end, budget=budget, limit=limit, consumed=consumed)


def _tool(span: Span, about: dict[str, Any], told: set[Any]) -> Iterator[fact.AnyFact]:
    attributes = span.attributes
    error_type = text(attributes.get(names.ERROR_TYPE))
    failed = TOOL_OUTCOMES.get(error_type, "failed")
    command_id = text(attributes.get(names.COMMAND_ID))
    ended: fact.SpanOutcome = failed if span.status == ERROR or error_type else "ok"
    yield fact.ToolCalled(
        **about,
        name=text(attributes.get(names.TOOL_NAME)) or span.name.removeprefix(names.EXECUTE_TOOL).strip(),
        call_id=text(attributes.get(names.TOOL_CALL_ID)),
        command_id=command_id,
        outcome=ended if span.end_ns else "open",
        error_type=error_type,
        error=span.status_message,
        duration_s=seconds(span.start_ns, span.end_ns),
    )
    if command_id and command_id not in told:
        # Nobody lived to say how it went: the process may have done anything.
        yield fact.CommandRun(
            **about,
            command=text(attributes.get(names.COMMAND_LINE)) or " ".join(texts(attributes.get(names.PROCESS_COMMAND_ARGS))),
            result="unknown",
            command_id=command_id,
            exit_code=whole(attributes.get(names.PROCESS_EXIT_CODE)),
            directory=text(attributes.get(names.PROCESS_WORKING_DIRECTORY)),
            observer="harness",
        )


def _model(span: Span, about: dict[str, Any], told: set[Any]) -> Iterator[fact.AnyFact]:  # noqa: ARG001 - one shape for all
    yield fact.ModelCalled(
        **about,
        model=text(span.attributes.get(names.REQUEST_MODEL)),
        end_ns=span.end_ns,
        failed=span.status == ERROR,
        error=span.status_message,
        error_type=text(span.attributes.get(names.ERROR_TYPE)),
        input_tokens=count(span.attributes.get(names.INPUT_TOKENS)),
        output_tokens=count(span.attributes.get(names.OUTPUT_TOKENS)),
    )


def _no_span(span: Span, about: dict[str, Any], told: set[Any]) -> Iterator[fact.AnyFact]:  # noqa: ARG001 - one shape for all
    return iter(())


def _redactions(about: dict[str, Any], attributes: Mapping[str, Any]) -> Iterator[fact.AnyFact]:
    if masked := count(attributes.get(names.REDACTIONS)):
        yield fact.SecretsRedacted(**about, count=masked)


def _task_started(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    yield fact.TaskStarted(
        **event.about,
        contract=contract(event.attributes),
        agent=text(get(names.AGENT_NAME)),
        parent_run=text(get(names.RUN_PARENT)),
        missing=event.missing(objective=text(get(names.TASK_OBJECTIVE))),
    )
    base = fact.BaseSeen(
        **event.about,
        repository=text(get(names.BASE_REPOSITORY)),
        branch=text(get(names.BASE_BRANCH)),
        commit=text(get(names.BASE_COMMIT)),
        tree=text(get(names.BASE_TREE)),
        dirty=flag(get(names.BASE_DIRTY)),
    )
    yield base


def _file_read(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    path, reason = text(get(names.FILE_PATH)), text(get(names.FILE_REASON))
    yield fact.FileRead(
        **event.about,
        path=path,
        reason=reason,
        digest=text(get(names.FILE_CONTENT_DIGEST)),
        lines=text(get(names.FILE_LINES)),
        missing=event.missing(path=path, reason=reason),
    )


def _file_changed(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    if path := text(get(names.FILE_PATH)):
        yield fact.FileChanged(
            **event.about,
            path=path,
            operation=text(get(names.FILE_OPERATION)) or "edit",
            lines_added=count(get(names.FILE_LINES_ADDED)),
            lines_removed=count(get(names.FILE_LINES_REMOVED)),
            old_path=text(get(names.FILE_OLD_PATH)),
        )


def _command_run(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    command, duration = text(get(names.COMMAND_LINE)), number(get(names.COMMAND_DURATION))
    lasted = duration if duration is not None and duration >= 0 else None
    said = text(get(names.COMMAND_RESULT))
    yield fact.CommandRun(
        **{**event.about, "time_ns": max(event.time_ns - int((lasted or 0.0) * NS), 0)},
        command=command,
        result=_one_of(said, get_args(CommandResult), "unknown"),
        command_id=text(get(names.COMMAND_ID)),
        exit_code=whole(get(names.PROCESS_EXIT_CODE)),
        duration_s=lasted,
        observer=text(get(names.COMMAND_OBSERVER)),
        directory=text(get(names.PROCESS_WORKING_DIRECTORY)),
        tree=text(get(names.COMMAND_TREE)),
        output_bytes=count(get(names.COMMAND_OUTPUT_BYTES)),
        output_sha256=text(get(names.COMMAND_OUTPUT_DIGEST)),
        output_tail=text(get(names.COMMAND_OUTPUT_TAIL)),
        missing=event.missing(command=command, result=said, duration=lasted),
    )


def _failure_seen(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    yield fact.FailureSeen(
        **event.about,
        error=text(get(names.FAILURE_ERROR)),
        command=text(get(names.FAILURE_COMMAND)),
        command_id=text(get(names.FAILURE_COMMAND_ID)),
        suspected_cause=text(get(names.FAILURE_SUSPECTED_CAUSE)),
        missing=event.missing(error=text(get(names.FAILURE_ERROR))),
    )


def _decision_made(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    option = text(get(names.DECISION_OPTION))
    rejected = [mapping(entry) for entry in texts(get(names.DECISION_ALTERNATIVES))]
    yield fact.DecisionMade(
        **event.about,
        option=option,
        alternatives=tuple(
            (text(entry.get("option")), text(entry.get("reason"))) for entry in rejected if text(entry.get("option"))
        ),
        based_on=texts(get(names.DECISION_BASED_ON)),
        missing=event.missing(option=option),
    )


def _verification_ran(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    check = text(get(names.VERIFICATION_CHECK))
    said = text(get(names.VERIFICATION_OUTCOME))
    yield fact.VerificationRan(
        **event.about,
        check=check,
        outcome=_one_of(said, get_args(VerificationOutcome), "unknown"),
        required=flag(get(names.VERIFICATION_REQUIRED)) or False,
        reason=text(get(names.VERIFICATION_REASON)),
        unavailable=flag(get(names.VERIFICATION_UNAVAILABLE)),
        evidence=texts(get(names.VERIFICATION_EVIDENCE)),
        missing=event.missing(check=check),
    )


def _evaluation_result(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    if check := text(get(names.EVALUATION_NAME)):
        yield fact.VerificationRan(
            **event.about,
            check=check,
            outcome=_one_of(text(get(names.EVALUATION_SCORE_LABEL)), get_args(VerificationOutcome), "unknown"),
            reason=text(get(names.EVALUATION_EXPLANATION)),
        )


def _handoff_written(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    yield fact.HandoffWritten(
        **event.about,
        status=text(get(names.HANDOFF_STATUS)),
        blockers=texts(get(names.HANDOFF_BLOCKERS)),
        next_action=text(get(names.HANDOFF_NEXT_ACTION)),
        assumptions=texts(get(names.HANDOFF_ASSUMPTIONS)),
        risks=texts(get(names.HANDOFF_RISKS)),
        look_twice=texts(get(names.HANDOFF_LOOK_TWICE)),
        missing=event.missing(),
    )


def _gate_decision(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    if outcome := text(get(names.GATE_OUTCOME)):
        yield fact.GateDecided(
            **event.about,
            tool=text(get(names.GATE_TOOL)),
            outcome=outcome,
            policy=text(get(names.GATE_POLICY)),
            reason=text(get(names.GATE_REASON)),
        )


def _budget_exceeded(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    if budget := text(get(names.BUDGET_NAME)):
        yield fact.BudgetSpent(
            **event.about,
            budget=budget,
            limit=number(get(names.BUDGET_LIMIT)),
            consumed=number(get(names.BUDGET_CONSUMED)),
            exceeded=True,
        )


def _context_loaded(event: Event) -> Iterator[fact.AnyFact]:
    if name := text(event.attributes.get(names.CONTEXT_NAME)):
        digest = text(event.attributes.get(names.CONTEXT_DIGEST))
        yield fact.ContextLoaded(**event.about, name=name, digest=digest)


def _risk_noted(event: Event) -> Iterator[fact.AnyFact]:
    if risk := text(event.attributes.get(names.RISK_TEXT)):
        yield fact.RiskNoted(**event.about, text=risk)


def _final_message(event: Event) -> Iterator[fact.AnyFact]:
    if message := text(event.attributes.get(names.MESSAGE_TEXT)):
        yield fact.Claimed(**event.about, text=message)


def _usage_reported(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    yield fact.ModelCalled(
        **event.about,
        model=text(get(names.REQUEST_MODEL)),
        end_ns=event.time_ns,
        input_tokens=count(get(names.INPUT_TOKENS)),
        output_tokens=count(get(names.OUTPUT_TOKENS)),
        cache_read_tokens=count(get(names.CACHE_READ_TOKENS)),
    )


def _run_heartbeat(event: Event) -> Iterator[fact.AnyFact]:
    yield fact.RunAlive(**event.about, open_spans=texts(event.attributes.get(names.RUN_OPEN_SPANS)))


def _run_finished(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    yield fact.RunFinished(
        **event.about,
        commit=text(get(names.FINAL_COMMIT)),
        tree=text(get(names.FINAL_TREE)),
        dirty=flag(get(names.FINAL_DIRTY)),
        changed_total=count(get(names.CHANGED_FILES_TOTAL)),
        outcome=RUN_OUTCOMES.get(text(get(names.RUN_OUTCOME)), "unknown"),
    )
    for entry in map(mapping, texts(get(names.CHANGED_FILES))):
        if path := text(entry.get("path")):
            yield fact.FileChanged(
                **event.about,
                path=path,
                operation=text(entry.get("operation")) or "edit",
                lines_added=count(entry.get("added")),
                lines_removed=count(entry.get("removed")),
                old_path=text(entry.get("old_path")),
                source="git",
            )


def _nothing(event: Event) -> Iterator[fact.AnyFact]:  # noqa: ARG001 - one shape for all
    return iter(())


def _one_of(value: str, allowed: tuple[Any, ...], otherwise: T) -> Any | T:
    return value if value in allowed else otherwise


ERROR: Final = 2
"""Status code ERROR of a span."""

SPANS: Final[Mapping[str, Callable[[Span, dict[str, Any], set[Any]], Iterator[fact.AnyFact]]]] = {
    names.INVOKE_AGENT: _run,
    names.INVOKE_WORKFLOW: _run,
    names.EXECUTE_TOOL: _tool,
    names.CHAT: _model,
}

EVENTS: Final[Mapping[str, Callable[[Event], Iterable[fact.AnyFact]]]] = {
    names.TASK_STARTED: _task_started,
    names.FILE_READ: _file_read,
    names.FILE_CHANGED: _file_changed,
    names.COMMAND_RUN: _command_run,
    names.FAILURE_SEEN: _failure_seen,
    names.DECISION_MADE: _decision_made,
    names.VERIFICATION_RAN: _verification_ran,
    names.EVALUATION_RESULT: _evaluation_result,
    names.HANDOFF_WRITTEN: _handoff_written,
    names.GATE_DECISION: _gate_decision,
    names.BUDGET_EXCEEDED: _budget_exceeded,
    names.CONTEXT_LOADED: _context_loaded,
    names.RISK_NOTED: _risk_noted,
    names.FINAL_MESSAGE: _final_message,
    names.USAGE_REPORTED: _usage_reported,
    names.RUN_HEARTBEAT: _run_heartbeat,
    names.RUN_FINISHED: _run_finished,
}
