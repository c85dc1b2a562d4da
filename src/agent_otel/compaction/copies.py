"""Which copy of an item counts.

Items are delivered more than once, and a span may come first as it starts and again as it ends. The choice depends on
the set of copies alone, never on their order: ended beats not ended, then the later end, then the larger digest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import NamedTuple, TypeVar

import msgspec

from agent_otel.model.item import Log, Span

I = TypeVar("I", Span, Log)  # noqa: E741 - an item

_encoder = msgspec.json.Encoder(order="sorted", enc_hook=dict)  # resources are shared, and so read-only views


class Settled(NamedTuple):
    """One copy of each item, in an order of their own, and how many further differing copies each had."""

    spans: tuple[Span, ...]
    logs: tuple[Log, ...]
    copies: dict[str, int]

    @property
    def items(self) -> tuple[Span | Log, ...]:
        """Spans, then log records."""
        items: tuple[Span | Log, ...] = (*self.spans, *self.logs)
        return items


def settle(items: Iterable[Span | Log]) -> Settled:
    """One copy of each span and log record; exact repetitions are not counted as copies."""
    spans: dict[str, list[Span]] = defaultdict(list)
    logs: dict[str, list[Log]] = defaultdict(list)
    for item in items:
        if isinstance(item, Span):
            _add(spans[item.ref], item)
        else:
            _add(logs[item.key], item)
    copies = {ref: len(_said(found)) - 1 for ref, found in spans.items() if len(found) > 1}
    copies |= {f"log:{key}": len(_said(found)) - 1 for key, found in logs.items() if len(found) > 1}
    chosen_spans = (max(found, key=_rank_span) if len(found) > 1 else found[0] for found in spans.values())
    chosen_logs = (max(found, key=_rank_log) if len(found) > 1 else found[0] for found in logs.values())
    return Settled(
        tuple(sorted(chosen_spans, key=lambda span: (span.start_ns, span.trace_id, span.span_id))),
        tuple(sorted(chosen_logs, key=lambda log: (log.time_ns, log.key))),
        {key: count for key, count in copies.items() if count},
    )


def _add(found: list[I], item: I) -> None:
    if item not in found:
        found.append(item)


def _said(found: list[I]) -> set[Hashable]:
    return {item.digest or canonical(item) for item in found}


def _rank_span(span: Span) -> tuple[bool, int, bytes, bytes]:
    return (span.end_ns > 0, span.end_ns, span.digest, canonical(span))


def _rank_log(log: Log) -> tuple[int, bytes, bytes]:
    return (log.time_ns, log.digest, canonical(log))


def canonical(value: object) -> bytes:
    """Bytes that are equal for equal values, whatever the order of their keys."""
    return _encoder.encode(value)
