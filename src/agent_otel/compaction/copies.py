"""Which copy of an item counts.

Items are delivered more than once, and a span may come first as it starts and again as it ends. The choice depends on
the set of copies alone, never on their order: ended beats not ended, then the later end, then the larger digest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from agent_otel.compaction.order import canonical
from agent_otel.model.item import Log, Span

I = TypeVar("I", bound=Span | Log)  # noqa: E741 - an item


class Settled(NamedTuple):
    """One copy of each item, in an order of their own, and how many further differing copies each had.

    ``spans`` are by ``ref``. ``copies`` has only what had any, by ``ref``, or ``log:`` and the key of a log record.
    """

    spans: Mapping[str, Span]
    logs: tuple[Log, ...]
    copies: Mapping[str, int]

    @property
    def items(self) -> tuple[Span | Log, ...]:
        """Spans, then log records."""
        items: tuple[Span | Log, ...] = (*self.spans.values(), *self.logs)
        return items

    def parted(self, *event_names: str) -> tuple[Settled, tuple[Log, ...]]:
        """The items without the log events of these names, and these."""
        found = tuple(log for log in self.logs if log.event_name in event_names)
        if not found:
            return self, ()
        keys = {f"log:{log.key}" for log in found}
        rest = Settled(
            self.spans,
            tuple(log for log in self.logs if log.event_name not in event_names),
            {key: copies for key, copies in self.copies.items() if key not in keys},
        )
        return rest, found


def settle(items: Iterable[Span | Log]) -> Settled:
    """One copy of each span and log record; exact repetitions are not counted as copies."""
    spans: dict[str, Span] = {}
    logs: dict[str, Log] = {}
    span_copies: dict[str, list[Span]] = defaultdict(list)
    log_copies: dict[str, list[Log]] = defaultdict(list)
    for item in items:
        if isinstance(item, Span):
            ref = item.ref
            if spans.setdefault(ref, item) is not item:
                span_copies[ref].append(item)
        elif logs.setdefault(item.key, item) is not item:
            log_copies[item.key].append(item)
    copies = _choose(spans, span_copies, _rank_span)
    copies |= {f"log:{key}": number for key, number in _choose(logs, log_copies, _rank_log).items()}
    return Settled(
        dict(sorted(spans.items(), key=lambda entry: (entry[1].start_ns, entry[0]))),
        tuple(sorted(logs.values(), key=lambda log: (log.time_ns, log.key))),
        copies,
    )


def _choose(first: dict[str, I], more: Mapping[str, list[I]], rank: Callable[[I], Any]) -> dict[str, int]:
    """Puts the copy that counts in the place of the first, and gives how many more there were that differ."""
    copies: dict[str, int] = {}
    for key, others in more.items():
        found = [first[key], *others]
        first[key] = max(found, key=rank)
        if (said := len({item.digest or canonical(item) for item in found})) > 1:
            copies[key] = said - 1
    return copies


def _rank_span(span: Span) -> tuple[bool, int, bytes, bytes]:
    return (span.end_ns > 0, span.end_ns, span.digest, canonical(span))


def _rank_log(log: Log) -> tuple[int, bytes, bytes]:
    return (log.time_ns, log.digest, canonical(log))
