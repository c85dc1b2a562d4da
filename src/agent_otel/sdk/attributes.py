"""Attribute values on their way out: repaired, masked, cut, in this order.

Masking comes before cutting, since half a secret matches no pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.util.types import AttributeValue

from agent_otel.model import names
from agent_otel.sdk.state import Instrumentation
from agent_otel.text.sanitise import attribute_value
from agent_otel.text.truncation import truncate


class Outgoing:
    """Collects attributes fit to leave the process; absent (None, "" and empty) ones are left out.

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
        if value is None or value in ("", (), []):
            return
        self.attributes[name] = self.clean(value, limit=limit)

    def update(self, values: Mapping[str, Any]) -> None:
        """Adds several attributes."""
        for name, value in values.items():
            self.put(name, value)

    def clean(self, value: Any, *, limit: int | None = None) -> AttributeValue:
        """``value``, repaired, masked and cut."""
        plain = attribute_value(value)
        if isinstance(plain, str):
            return self.text(plain, limit=limit)
        if isinstance(plain, list | tuple):
            return [self.text(item, limit=limit) if isinstance(item, str) else item for item in plain]  # type: ignore[return-value]  # one type by attribute_value's promise
        return plain

    def text(self, value: str, *, limit: int | None = None) -> str:
        """``value``, masked and cut."""
        masked = self._instrumentation.masker.mask(value)
        self.redactions += masked.count
        return truncate(masked.text, limit or self._instrumentation.settings.value_limit).text

    def finish(self) -> dict[str, AttributeValue]:
        """The attributes, with the number of masked secrets where there were any."""
        if self.redactions:
            self.attributes[names.REDACTIONS] = self.redactions
        return self.attributes
