"""The dialect: Laminar's spans, and the facts of conversations and model calls.

Seen from openhands-sdk 1.58.0 with lmnr 0.7.66 and 0.7.67 (2026-11): ``conversation`` around all, ``conversation.run``
a turn. Not to be had from it: costs, versions, actions that were refused before they began.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.lmnr.talk import Talk
from agent_otel.compaction.dialects.lmnr.tools import tool_facts
from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.conversation import conversation
from agent_otel.compaction.reading.models import model_called
from agent_otel.compaction.reading.results import Result, ending
from agent_otel.compaction.reading.values import mapping, text
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.contract import Contract
from agent_otel.model.item import Log, Span

CONVERSATIONS: Final = ("conversation", "conversation.run")
"""OpenHands' spans of a conversation and of its turns; the latter are there where a killed process lost the former."""
OF_CONVERSATIONS: Final = "conversation."
SEND: Final = "conversation.send_message"


class Lmnr:
    """Reads Laminar's spans."""

    name = "lmnr"
    about = "OpenHands, and what else tells its story by Laminar's spans"
    scopes = (names.LMNR_SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """Spans of Laminar's tracer, or with a type of it."""
        return isinstance(item, Span) and (item.scope == names.LMNR_SCOPE or names.LMNR_TYPE in item.attributes)

    def place(self, item: Span | Log) -> Place | None:
        """The session, which is on every span of a conversation."""
        session = text(item.attributes.get(names.LMNR_SESSION))
        return Place(session) if session else None

    def backdrop(self, item: Span | Log) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing: whatever is traced is of a run."""
        return False

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of the spans, and of what was said between agent and model."""
        spans = [item for item in items if isinstance(item, Span)]
        models = _innermost([span for span in spans if _type(span) == "LLM"], forest)
        bounds = [span for span in spans if _is_bound(span)]
        talk = Talk()
        facts: list[tuple[fact.AnyFact, Span]] = [(_turn(span), span) for span in bounds]
        facts += ((model_called(span), span) for span in models)
        facts += ((task, span) for span in spans for task in _task(span))
        tools = [span for span in spans if _type(span) == "TOOL"]
        nearest = forest.nearest({span.ref for span in (*bounds, *tools)})
        facts += tool_facts(tools, models, talk, lambda span: nearest.get(forest.parent(span.ref) or "", ""))
        facts += conversation(bounds, models, talk, forest)
        facts += ((fact.LimitNoticed(**_about(span), limit=limits.COSTS_UNTOLD), span) for span in models[:1])
        for seen, span in facts:
            yield Sighting(seen, span, self.name)


def _type(span: Span) -> str:
    return text(span.attributes.get(names.LMNR_TYPE))


def _is_bound(span: Span) -> bool:
    """True for conversations, their turns, and roots of what else is traced so."""
    root = not span.parent_id and _type(span) == "DEFAULT" and not span.name.startswith(OF_CONVERSATIONS)
    return span.name in CONVERSATIONS or root


def _innermost(calls: Sequence[Span], forest: Forest) -> list[Span]:
    """The model calls in order of time; of calls around calls (``llm.…`` around litellm's) those that were made."""
    refs = {span.ref for span in calls}
    nearest = forest.nearest(refs)
    around = {nearest.get(forest.parent(ref) or "") for ref in refs}
    return sorted((span for span in calls if span.ref not in around), key=lambda span: (span.start_ns, span.ref))


def _turn(span: Span) -> fact.AgentInvoked:
    end = ending(span, Result({}, ""))
    return fact.AgentInvoked(
        **_about(span),
        name="" if span.name in CONVERSATIONS else span.name,
        session=text(span.attributes.get(names.LMNR_SESSION)),
        end_ns=span.end_ns,
        outcome=end.outcome if span.end_ns else "open",
        error_type=end.error_type,
        error=end.error,
    )


def _task(span: Span) -> Iterator[fact.TaskStarted]:
    if span.name != SEND:
        return
    said = mapping(span.attributes.get(names.LMNR_INPUT)).get("message")
    if objective := messages.task(messages.parse(said, "user")):
        yield fact.TaskStarted(**_about(span), contract=Contract(objective=objective), stated=False, from_user=True)


def _about(span: Span) -> dict[str, Any]:
    return {"ref": span.ref, "time_ns": span.start_ns}
