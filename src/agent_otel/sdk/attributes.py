"""Attribute values on their way out: repaired, masked, cut, in this order.

Masking comes before cutting, since half a secret matches no pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.util.types import AttributeValue

from agent_otel.model import names
from agent_otel.sdk.state import Instrumentation
from agent_otel.text.sanitise import attribute_value, clean
from agent_otel.text.truncation import tail, truncate


class Tail(str):
    """A text of which the end matters most: what a command printed."""

    __slots__ = ()


class Outgoing:
    """Collects attributes fit to leave the process; absent ones (None and "") are left out.

    ``redactions`` counts the secrets masked so far.
    """

    __slots__ = ("_instrumentation", "attributes", "redactions")

    def __init__(self, instrumentation: Instrumentation) -> None:
        self._instrumentation = instrumentation
        self.attributes: dict[str, AttributeValue] = {}
        self.redactions = 0

    def put(self, name: str, value: Any, *, limit: int | None = None) -> None:
        """Adds one attribute.

        Args:
            name: the attribute's name, from ``model.names``.
            value: any Python value; what no attribute can hold becomes text.
            limit: bytes of text kept, if other than the setting ``value_limit``.
        """
        if value is None or (isinstance(value, str) and not value):
            return
        self.attributes[name] = self.clean(value, limit=limit)

    def update(self, values: Mapping[str, Any]) -> None:
        """Adds several attributes."""
        for name, value in values.items():
            self.put(name, value)

    def clean(self, value: Any, *, limit: int | None = None) -> AttributeValue:
        """``value``, repaired, masked and cut."""
        if isinstance(value, Tail):
            return self.tail(value)
        plain = attribute_value(value)
        if isinstance(plain, str):
            return self.text(plain, limit=limit)
        if isinstance(plain, list | tuple):
            return [self.text(item, limit=limit) if isinstance(item, str) else item for item in plain]
        return plain

    def text(self, value: str, *, limit: int | None = None) -> str:
        """``value``, masked and cut."""
        masked, count = self._instrumentation.masker.mask(value)
        self.redactions += count
        return truncate(masked, limit or self._instrumentation.settings.value_limit).text

    def tail(self, value: str) -> str:
        """The end of ``value``, masked first."""
        masked, count = self._instrumentation.masker.mask(clean(value))
        self.redactions += count
        return tail(masked, self._instrumentation.settings.output_tail).text

    def finish(self) -> dict[str, AttributeValue]:
        """The attributes, with the number of masked secrets where there were any."""
        if self.redactions:
            self.attributes[names.REDACTIONS] = self.redactions
        return self.attributes
