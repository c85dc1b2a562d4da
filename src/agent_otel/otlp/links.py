"""Links: what joins items of several traces to one group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from agent_otel.model import names

LONGEST_LINK: Final = 512
"""A key longer than this names no session; it is not followed."""

# A run that names its parent belongs to the group of the parent's own items.
_LINK_NAMES: Final = {name: names.RUN_ID if name == names.RUN_PARENT else name for name in names.GROUP_KEYS}
_NEEDLES: Final = tuple((name, name.encode()) for name in names.GROUP_KEYS)


def named_links(attributes: Iterable[KeyValue], raw: bytes) -> list[str]:
    """The links that the attributes make, which are in the encoded message ``raw``."""
    # Reading attributes is what costs most here; looking for the bytes of the names first spares nearly all of it.
    wanted = [name for name, needle in _NEEDLES if needle in raw]
    return _found(attributes, wanted) if wanted else []


def _found(attributes: Iterable[KeyValue], wanted: Iterable[str]) -> list[str]:
    """The link of each wanted name, looking no further than the last of them."""
    left = set(wanted)
    found: list[str] = []
    for entry in attributes:
        name = entry.key
        if name in left:
            left.remove(name)
            value = entry.value.string_value
            if 0 < len(value) <= LONGEST_LINK:
                found.append(f"{_LINK_NAMES[name]}:{value}")
            if not left:
                break
    return found
