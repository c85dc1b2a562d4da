"""Facts of our events: one builder an event, in a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, get_args

from agent_otel.compaction.dialects.agent_otel.contracts import contract
from agent_otel.compaction.dialects.agent_otel.events import Event
from agent_otel.compaction.dialects.agent_otel.spans import RUN_OUTCOMES
from agent_otel.compaction.reading.files import evidence_files
from agent_otel.compaction.reading.values import count, flag, mapping, number, text, texts, whole
from agent_otel.compaction.times import NS
from agent_otel.model import fact, names
from agent_otel.model.record import CommandResult, VerificationOutcome

COMMAND_RESULTS: Final[Mapping[str, CommandResult]] = {result: result for result in get_args(CommandResult)}
CHECK_OUTCOMES: Final[Mapping[str, VerificationOutcome]] = {
    outcome: outcome for outcome in get_args(VerificationOutcome)
}


def event_facts(event: Event) -> Iterator[fact.AnyFact]:
    """The facts of one event."""
    build = EVENTS.get(event.name)
    if build is not None:
        yield from build(event)
    if names.REDACTIONS in event.attributes and (masked := count(event.attributes[names.REDACTIONS])):
        yield fact.SecretsRedacted(**event.about, count=masked)


def _task_started(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    yield fact.TaskStarted(
        **event.about,
        contract=contract(event.attributes),
        agent=text(get(names.AGENT_NAME)),
        parent_run=text(get(names.RUN_PARENT)),
        redo_of=text(get(names.RUN_REDO_OF)),
        missing=event.missing(objective=text(get(names.TASK_OBJECTIVE))),
    )
    yield fact.BaseSeen(
        **event.about,
        repository=text(get(names.BASE_REPOSITORY)),
        branch=text(get(names.BASE_BRANCH)),
        commit=text(get(names.BASE_COMMIT)),
        tree=text(get(names.BASE_TREE)),
        dirty=flag(get(names.BASE_DIRTY)),
    )


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
        **{**event.about, "time_ns": max(event.time_ns - int(min(lasted or 0.0, event.time_ns / NS) * NS), 0)},
        command=command,
        result=COMMAND_RESULTS.get(said, "unknown"),
        command_id=text(get(names.COMMAND_ID)),
        exit_code=whole(get(names.PROCESS_EXIT_CODE)),
        duration_s=lasted,
        observer=text(get(names.COMMAND_OBSERVER)),
        directory=text(get(names.PROCESS_WORKING_DIRECTORY)),
        tree=text(get(names.COMMAND_TREE)),
        output_bytes=count(get(names.COMMAND_OUTPUT_BYTES)),
        output_sha256=text(get(names.COMMAND_OUTPUT_DIGEST)),
        output_tail=text(get(names.COMMAND_OUTPUT_TAIL)),
        files=evidence_files(get(names.COMMAND_FILES)),
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
        outcome=CHECK_OUTCOMES.get(said, "unknown"),
        required=flag(get(names.VERIFICATION_REQUIRED)) or False,
        reason=text(get(names.VERIFICATION_REASON)),
        unavailable=flag(get(names.VERIFICATION_UNAVAILABLE)),
        evidence=texts(get(names.VERIFICATION_EVIDENCE)),
        files=evidence_files(get(names.VERIFICATION_FILES)),
        missing=event.missing(check=check),
    )


def _evaluation_result(event: Event) -> Iterator[fact.AnyFact]:
    get = event.attributes.get
    if check := text(get(names.EVALUATION_NAME)):
        yield fact.VerificationRan(
            **event.about,
            check=check,
            outcome=CHECK_OUTCOMES.get(text(get(names.EVALUATION_SCORE_LABEL)), "unknown"),
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


EVENTS: Final[Mapping[str, Callable[[Event], Iterator[fact.AnyFact]]]] = {
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
"""Event name to what an event of it states."""
