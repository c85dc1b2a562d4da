"""What is done to items between their arrival and the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent_otel.model.item import Item
from agent_otel.otlp.masking import ItemMasker
from agent_otel.service.settings import ProcessorSettings, RedactionSettings
from agent_otel.text.redaction import Masker

Arrival = Callable[[Sequence[Item]], Sequence[Item]]
"""Gives the items to keep in place of those that came, one for each."""


def arrival(settings: ProcessorSettings | RedactionSettings) -> Arrival:
    """What the settings say: secrets are masked, unless they are to be left."""
    return ItemMasker(Masker(key=settings.redaction_key.encode())) if settings.redact else tuple
