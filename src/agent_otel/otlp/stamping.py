"""Names the run in items of an agent whose telemetry does not: not every SDK reads ``OTEL_RESOURCE_ATTRIBUTES``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.build import canonical

_RUN_ID: Final = names.RUN_ID.encode()


class RunStamp:
    """Puts the id of a run into the resource of items that came to a receiver of this run alone.

    As with masking, an item stays the item it was; its group is that of the run.

    Args:
        run_id: of the run.
    """

    def __init__(self, run_id: str) -> None:
        self._link = f"{names.RUN_ID}:{run_id}"
        self._attribute = KeyValue(key=names.RUN_ID, value=AnyValue(string_value=run_id))
        self._known: dict[bytes, bytes] = {}

    def __call__(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """The items, each with a resource that names a run: this one, unless it named one before."""
        return tuple(item if _RUN_ID in item.resource else self._stamped(item) for item in items)

    def _stamped(self, item: Item) -> Item:
        resource = self._known.get(item.resource)
        if resource is None:
            message = Resource.FromString(item.resource)
            message.attributes.append(self._attribute)
            resource = self._known[item.resource] = canonical(message)
        links = item.links if self._link in item.links else (*item.links, self._link)
        return replace(item, resource=resource, links=links)
