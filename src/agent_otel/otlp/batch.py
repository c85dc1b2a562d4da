"""Reads many items at once, where all is well with them.

To parse and write messages costs half as much in groups as one by one, and asking whether a message is written
canonically then takes one comparison of bytes for all of a group. A group is small: it stays in the processor's cache,
parsing it takes little memory whatever is in it, and when something is wrong in it, few others go the slow way with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError

from agent_otel.otlp.build import Builder, Kind, canonical
from agent_otel.otlp.received import Outcome
from agent_otel.otlp.wire import Place

GROUP_BYTES: Final = 64 << 10


def outcomes(body: bytes, places: Sequence[Place], builder: Builder) -> Iterator[Outcome]:
    """What becomes of what lies at each of these places of a request."""
    build, repaired = builder.kind.build, builder.source.repaired
    most = min(GROUP_BYTES, builder.limits.item_bytes)
    for group in _groups(places, most):
        encoded = body[group[0][0] : group[-1][2]]
        messages = _canonical_messages(encoded, builder.kind) if len(encoded) <= most else None
        if messages is None:
            for _, start, end in group:
                yield builder.from_bytes(body[start:end])
        else:
            for (_, start, end), message in zip(group, messages, strict=True):
                yield build(builder, message, body[start:end], repaired)


def _groups(places: Sequence[Place], most: int) -> Iterator[Sequence[Place]]:
    """Neighbours with nothing between them, of at most so many bytes; or one that is larger."""
    first = 0
    for index, (begin, _, end) in enumerate(places):
        if index > first and (end - places[first][0] > most or begin != places[index - 1][2]):
            yield places[first:index]
            first = index
    if places:
        yield places[first:]


def _canonical_messages(encoded: bytes, kind: Kind) -> Sequence[Any] | None:
    """The messages of a group, or None where one is damaged, needs mending, or is not written canonically."""
    try:
        block = kind.block.FromString(encoded)
    except ProtobufError:
        return None
    return kind.parts(block) if canonical(block) == encoded else None
