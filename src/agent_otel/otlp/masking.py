"""Secrets out of items that arrive, before anybody keeps them: decoded, masked and encoded again where need be.

An item stays the item it was: its key, digest and links are those of what was sent, so that a second delivery is a
duplicate whoever masks it, and with whatever key. It says how many secrets it had (``agent_otel.redactions``). What
names a run or session is left alone, since it joins items; and so are items of this SDK, masked where they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from google.protobuf.message import Message
from msgspec.structs import replace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.build import canonical
from agent_otel.text.assignments import is_flag
from agent_otel.text.redaction import Masker
from agent_otel.text.suspicion import Suspicion

REMEMBERED: Final = 256
"""Resources and scopes whose masked form is kept; a process that meets more starts over."""

_OURS: Final = InstrumentationScope(name=names.SCOPE).SerializeToString()
_KEPT: Final = frozenset(names.GROUP_KEYS)


class ItemMasker:
    """Masks items with a ``Masker``.

    Args:
        masker: finds and replaces secrets.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._suspicious = Suspicion(masker.secrets)
        self._known: dict[bytes, bytes] = {}

    def __call__(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """The items without their secrets; those that have none as they are."""
        return tuple(item if item.scope.startswith(_OURS) else self._item(item) for item in items)

    def _item(self, item: Item) -> Item:
        resource, scope = self._part(item.resource, Resource), self._part(item.scope, InstrumentationScope)
        raw = self._raw(item) if self._suspicious(item.raw) else item.raw
        if raw is item.raw and resource is item.resource and scope is item.scope:
            return item
        return replace(item, raw=raw, resource=resource, scope=scope)

    def _part(self, encoded: bytes, kind: type[Resource | InstrumentationScope]) -> bytes:
        """A resource or scope, which many items share."""
        known = self._known.get(encoded)
        if known is None:
            known = encoded
            if self._suspicious(encoded):
                message = kind.FromString(encoded)
                known = canonical(message) if self._attributes(message.attributes) else encoded
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[encoded] = known
        # The bytes of the item itself where nothing was masked: to compare them would cost more.
        return encoded if known == encoded else known

    def _raw(self, item: Item) -> bytes:
        message = _MESSAGES[item.signal].FromString(item.raw)
        count = _WALKS[item.signal](self, message)
        if not count:
            return item.raw
        _note(message, count)
        return canonical(message)

    def _span(self, span: Span) -> int:
        count = self._field(span, "name") + self._field(span.status, "message") + self._attributes(span.attributes)
        for event in span.events:
            count += self._field(event, "name") + self._attributes(event.attributes)
        return count + sum(self._attributes(link.attributes) for link in span.links)

    def _log(self, record: LogRecord) -> int:
        return self._value(record.body, "") + self._attributes(record.attributes)

    def _attributes(self, entries: Iterable[KeyValue]) -> int:
        return sum(
            self._value(entry.value, entry.key) + self._field(entry, "key")
            for entry in entries
            if entry.key not in _KEPT
        )

    def _value(self, value: AnyValue, name: str) -> int:
        kind = value.WhichOneof("value")
        if kind in {"string_value", "bytes_value"}:
            masked, count = self._masker.mask_value(getattr(value, kind), name=name)
            if count:
                setattr(value, kind, masked)
            return count
        if kind == "array_value":
            return self._sequence(value.array_value.values, name)
        return self._attributes(value.kvlist_value.values) if kind == "kvlist_value" else 0

    def _sequence(self, values: Iterable[AnyValue], name: str) -> int:
        """Values one after the other: in a list of arguments, a flag names the one behind it."""
        count, flag = 0, ""
        for value in values:
            following = value.string_value if is_flag(value.string_value) else ""
            count += self._value(value, name if following else flag or name)
            flag = following
        return count

    def _field(self, message: Message, field: str) -> int:
        masked, count = self._masker.mask(getattr(message, field))
        if count:
            setattr(message, field, masked)
        return count


_MESSAGES: Final[dict[str, type[Any]]] = {"span": Span, "log": LogRecord}
_WALKS: Final[dict[str, Callable[[ItemMasker, Any], int]]] = {"span": ItemMasker._span, "log": ItemMasker._log}  # noqa: SLF001 - a table of its own methods


def _note(message: Span | LogRecord, count: int) -> None:
    """Adds to what the item says of masked secrets."""
    for entry in message.attributes:
        if entry.key == names.REDACTIONS:
            entry.value.int_value += count
            return
    message.attributes.append(KeyValue(key=names.REDACTIONS, value=AnyValue(int_value=count)))
