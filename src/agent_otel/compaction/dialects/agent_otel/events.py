"""Events of this SDK, each once: the same statement may come as a span event and as a log record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from agent_otel.compaction.order import in_order
from agent_otel.compaction.reading.values import text, texts
from agent_otel.model import names
from agent_otel.model.item import Log, Span


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event, wherever it was seen; ``ref`` is that of its item."""

    name: str
    ref: str
    time_ns: int
    attributes: Mapping[str, Any]
    item: Span | Log

    @property
    def about(self) -> dict[str, Any]:
        """What every fact made of it has."""
        return {
            "ref": self.ref,
            "time_ns": self.time_ns,
            "run_id": text(self.attributes.get(names.RUN_ID)),
            "event_id": text(self.attributes.get(names.EVENT_ID)),
        }

    def missing(self, **given: object) -> tuple[str, ...]:
        """The required fields that were not given: those the sender lists, and those of ``given`` that are empty."""
        listed = texts(self.attributes.get(names.MISSING_FIELDS))
        empty = [name for name, value in given.items() if value in ("", None)]
        return tuple(sorted({*listed, *empty})) if listed or empty else ()


def events_of(items: Sequence[Span | Log], foreign: Iterable[Span] = ()) -> list[Event]:
    """The events of the items; of copies with one event id the one on a span counts.

    Args:
        items: our spans and log records.
        foreign: spans of others; events of ours on them are told by their id.
    """
    chosen: dict[object, Event] = {}
    ours = (event for event in _all(foreign) if names.EVENT_ID in event.attributes)
    for event in in_order((*_all(items), *ours), _order, lambda event: event.attributes):
        event_id = text(event.attributes.get(names.EVENT_ID))
        chosen.setdefault((event_id, event.name) if event_id else (event.ref, len(chosen)), event)
    return _without_standard_copies(chosen.values())


def _all(items: Iterable[Span | Log]) -> Iterator[Event]:
    for item in items:
        if isinstance(item, Log):
            yield Event(name=item.event_name, ref=item.ref, time_ns=item.time_ns, attributes=item.attributes, item=item)
        elif item.events:
            ref = item.ref
            for event in item.events:
                yield Event(name=event.name, ref=ref, time_ns=event.time_ns, attributes=event.attributes, item=item)


def _order(event: Event) -> tuple[bool, int, str, str]:
    return (isinstance(event.item, Log), event.time_ns, event.ref, event.name)


def _without_standard_copies(events: Iterable[Event]) -> list[Event]:
    """Leaves out evaluation results that stand beside a verification of the same id: the same said in OTel's words."""
    kept = list(events)
    verified = {_id(event) for event in kept if event.name == names.VERIFICATION_RAN} - {""}
    return [event for event in kept if event.name != names.EVALUATION_RESULT or _id(event) not in verified]


def _id(event: Event) -> str:
    return text(event.attributes.get(names.EVENT_ID))
