"""The calls to models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_otel.compaction.dialects.opencode.logged import STREAM, note
from agent_otel.compaction.dialects.opencode.work import Work
from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.values import count, first, text
from agent_otel.model import fact, names
from agent_otel.model.item import Log, Span


def model_facts(work: Work) -> Iterator[tuple[fact.AnyFact, Span | Log]]:
    """The facts of the calls to models; of some it is only seen that they began, and in the log of which model."""
    for call in work.calls:
        yield _model(call), call
    logged = {log.ref: log for log in work.logs if note(log).message == STREAM}
    for span in work.runs:
        log = logged.get(span.ref)
        model = text(note(log).fields.get("modelID")) if log else ""
        yield fact.ModelCalled(**_about(span), model=model), log or span


def _model(span: Span) -> fact.ModelCalled:
    attributes = span.attributes
    told = _about(span)
    return fact.ModelCalled(
        **{**told, "failed": told["failed"] or attributes.get(names.AI_FINISH_REASON) == "error"},
        model=text(first(attributes, names.AI_RESPONSE_MODEL, names.RESPONSE_MODEL, names.AI_MODEL)),
        call_id=text(first(attributes, names.AI_RESPONSE_ID, names.RESPONSE_ID)),
        input_tokens=count(first(attributes, names.INPUT_TOKENS, names.AI_INPUT_TOKENS)),
        output_tokens=count(first(attributes, names.OUTPUT_TOKENS, names.AI_OUTPUT_TOKENS)),
        cache_read_tokens=count(attributes.get(names.AI_CACHED_TOKENS)),
    )


def _about(span: Span) -> dict[str, Any]:
    end = ending(span, Result({}, ""))
    return {
        "ref": span.ref,
        "time_ns": span.start_ns,
        "end_ns": span.end_ns,
        "failed": end.outcome == "failed",
        "error_type": end.error_type,
        "error": end.error,
    }
