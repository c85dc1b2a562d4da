"""The dialect: litellm's spans and log events, whose calls are stitched into runs.

Seen: litellm 1.106 (callback ``otel``) under mini-swe-agent 2.4, 2026-11-21; as it is by default, and with the GenAI
conventions opted in. Each model call is a trace of its own, with no session, no agent and no tools: commands and their
results are in the history that the next call is given, and the result of the last one is nowhere. Without content
nothing joins the calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.litellm.talk import LiteLLMTalk
from agent_otel.compaction.reading.models import model_called
from agent_otel.compaction.reading.stitched import spoken
from agent_otel.compaction.reading.values import mapping, number, text
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

NO_CALLS: Final = frozenset([names.EMBEDDINGS])


class LiteLLM:
    """Reads what litellm emits."""

    name = "litellm"
    about = "litellm under agents without telemetry (mini-swe-agent): calls stitched into runs by their histories"
    scopes = (names.LITELLM_SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """By scope."""
        return item.scope == names.LITELLM_SCOPE

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: which run a call is of is told by what it goes on with."""
        return None

    def backdrop(self, item: Span | Log) -> bool:
        """What is around and inside of model calls: raw requests, guards, caches."""
        return isinstance(item, Span) and not _is_call(item)

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The model calls, and what their histories tell."""
        spans = [item for item in items if isinstance(item, Span) and _is_call(item)]
        calls = sorted(spans, key=lambda span: (span.start_ns, span.ref))
        talk = LiteLLMTalk(items)
        for span in calls:
            yield Sighting(_called(span), span, self.name)
            if not talk.into(span) and not talk.out_of(span):
                noted = fact.LimitNoticed(ref=span.ref, time_ns=span.start_ns, limit=limits.CONTENT_OFF)
                yield Sighting(noted, span, self.name)
        for seen, span in spoken((), calls, talk, forest):
            yield Sighting(seen, span, self.name)


def _is_call(span: Span) -> bool:
    """Spans of model calls have the model, whatever else is left out; a custom name may be any."""
    stated = text(span.attributes.get(names.OPERATION_NAME))
    return names.REQUEST_MODEL in span.attributes and stated not in NO_CALLS


def _called(span: Span) -> fact.ModelCalled:
    cost = number(mapping(span.attributes.get(names.LITELLM_HIDDEN)).get("response_cost"))
    return msgspec.structs.replace(model_called(span), cost_usd=cost)
