"""Facts of model calls by the attributes of the GenAI conventions, which most instrumentations share."""

from __future__ import annotations

from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.values import count, first, text
from agent_otel.model import fact, names
from agent_otel.model.item import Span


def model_called(span: Span) -> fact.ModelCalled:
    """The model call that a span with these attributes is."""
    attributes = span.attributes
    end = ending(span, Result({}, ""))
    return fact.ModelCalled(
        ref=span.ref,
        time_ns=span.start_ns,
        model=text(first(attributes, names.RESPONSE_MODEL, names.REQUEST_MODEL)),
        call_id=text(attributes.get(names.RESPONSE_ID)),
        end_ns=span.end_ns,
        failed=end.outcome in ("failed", "denied", "cancelled"),
        error_type=end.error_type,
        error=end.error,
        input_tokens=count(first(attributes, names.INPUT_TOKENS, names.PROMPT_TOKENS_OLD)),
        output_tokens=count(first(attributes, names.OUTPUT_TOKENS, names.COMPLETION_TOKENS_OLD)),
        cache_read_tokens=count(first(attributes, names.CACHE_READ_TOKENS, names.CACHE_READ_TOKENS_OLD)),
    )
