"""Writes items as OTLP again: what came in can be had back, for a collector, another processor, or ``compact``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, get_args

import msgspec

from agent_otel.model.item import Item, Signal
from agent_otel.otlp.encode import plain_request
from agent_otel.otlp.wire import encode_varint

# ExportTraceServiceRequest and ExportLogsServiceRequest number these fields alike; 2 is LENGTH.
_FIRST: Final = bytes([1 << 3 | 2])  # resource block, resource, scope
_SECOND: Final = bytes([2 << 3 | 2])  # scope block, item

_EMPTY: Final[dict[str, Any]] = {"resourceSpans": [], "resourceLogs": []}


def request_body(items: Iterable[Item]) -> bytes:
    """The protobuf request that carries these items, which are of one signal; resources and scopes are told once."""
    blocks: dict[tuple[bytes, bytes], list[bytes]] = {}
    for item in items:
        blocks.setdefault((item.resource, item.scope), []).append(item.raw)
    return b"".join(_field(_FIRST, _resource_block(*origin, raws)) for origin, raws in blocks.items())


def document(items: Sequence[Item]) -> bytes:
    """The items as one OTLP/JSON document, as the collector's file exporter writes them; its lists may be empty.

    Text that was mended on receipt stands as it was mended.
    """
    found = dict(_EMPTY)
    for signal in get_args(Signal):
        found.update(plain_request(request_body(item for item in items if item.signal == signal), signal))
    return msgspec.json.encode(found)


def _resource_block(resource: bytes, scope: bytes, raws: Iterable[bytes]) -> bytes:
    scope_block = _field(_FIRST, scope) + b"".join(_field(_SECOND, raw) for raw in raws)
    return _field(_FIRST, resource) + _field(_SECOND, scope_block)


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + encode_varint(len(content)) + content
