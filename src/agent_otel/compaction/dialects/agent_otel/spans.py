"""Facts of our spans: runs, tools, and model calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set as AbstractSet
from typing import Any, Final

from agent_otel.compaction.reading.values import STATUS_ERROR, count, number, text, texts, whole
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Span

RUN_OUTCOMES: Final[Mapping[str, fact.SpanOutcome]] = {"ended": "ok", "failed": "failed", "cancelled": "cancelled"}
TOOL_OUTCOMES: Final[Mapping[str, fact.SpanOutcome]] = {
    names.ERROR_DENIED: "denied",
    names.ERROR_CANCELLED: "cancelled",
}


def span_facts(span: Span, told: AbstractSet[Any]) -> Iterator[fact.AnyFact]:
    """The facts of one span; ``told`` are the ids of the commands that an event tells of."""
    build = SPANS.get(text(span.attributes.get(names.OPERATION_NAME)))
    if build is not None:
        yield from build(span, told)
    if names.REDACTIONS in span.attributes and (masked := count(span.attributes[names.REDACTIONS])):
        yield fact.SecretsRedacted(**_about(span), count=masked)


def _about(span: Span) -> dict[str, Any]:
    return {"ref": span.ref, "time_ns": span.start_ns, "run_id": text(span.attributes.get(names.RUN_ID))}


def _run(span: Span, told: AbstractSet[Any]) -> Iterator[fact.AnyFact]:  # noqa: ARG001 - one shape for all
    attributes, about = span.attributes, _about(span)
    unstated: fact.SpanOutcome = "failed" if span.status == STATUS_ERROR else "unknown"
    stated = RUN_OUTCOMES.get(text(attributes.get(names.RUN_OUTCOME)), unstated)
    workflow = text(attributes.get(names.WORKFLOW_NAME))
    yield fact.AgentInvoked(
        **about,
        boundary="workflow" if workflow else "agent",
        name=text(attributes.get(names.AGENT_NAME)) or workflow,
        version=text(attributes.get(names.AGENT_VERSION)),
        model=text(attributes.get(names.REQUEST_MODEL)),
        session=text(attributes.get(names.CONVERSATION_ID)),
        parent_run=text(attributes.get(names.RUN_PARENT)),
        redo_of=text(attributes.get(names.RUN_REDO_OF)),
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


def _tool(span: Span, told: AbstractSet[Any]) -> Iterator[fact.AnyFact]:
    attributes, about = span.attributes, _about(span)
    error_type = text(attributes.get(names.ERROR_TYPE))
    command_id = text(attributes.get(names.COMMAND_ID))
    failed = span.status == STATUS_ERROR or error_type != ""
    outcome: fact.SpanOutcome = TOOL_OUTCOMES.get(error_type, "failed") if failed else "ok"
    yield fact.ToolCalled(
        **about,
        name=text(attributes.get(names.TOOL_NAME)) or span.name.removeprefix(names.EXECUTE_TOOL).strip(),
        call_id=text(attributes.get(names.TOOL_CALL_ID)),
        command_id=command_id,
        outcome=outcome if span.end_ns else "open",
        error_type=error_type,
        error=span.status_message,
        duration_s=seconds(span.start_ns, span.end_ns),
    )
    if command_id and command_id not in told:
        # Nobody lived to say how it went: the process may have done anything.
        argv = texts(attributes.get(names.PROCESS_COMMAND_ARGS))
        yield fact.CommandRun(
            **about,
            command=text(attributes.get(names.COMMAND_LINE)) or " ".join(argv),
            result="unknown",
            command_id=command_id,
            exit_code=whole(attributes.get(names.PROCESS_EXIT_CODE)),
            directory=text(attributes.get(names.PROCESS_WORKING_DIRECTORY)),
            observer="harness",
        )


def _model(span: Span, told: AbstractSet[Any]) -> Iterator[fact.AnyFact]:  # noqa: ARG001 - one shape for all
    attributes = span.attributes
    yield fact.ModelCalled(
        **_about(span),
        model=text(attributes.get(names.REQUEST_MODEL)),
        end_ns=span.end_ns,
        failed=span.status == STATUS_ERROR,
        error=span.status_message,
        error_type=text(attributes.get(names.ERROR_TYPE)),
        input_tokens=count(attributes.get(names.INPUT_TOKENS)),
        output_tokens=count(attributes.get(names.OUTPUT_TOKENS)),
    )


SPANS: Final[Mapping[str, Callable[[Span, AbstractSet[Any]], Iterator[fact.AnyFact]]]] = {
    names.INVOKE_AGENT: _run,
    names.INVOKE_WORKFLOW: _run,
    names.EXECUTE_TOOL: _tool,
    names.CHAT: _model,
}
"""Operation name to what a span of it states."""
