"""Links: what joins items of several traces to one group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from agent_otel.model import names
from agent_otel.otlp.wire import LENGTH

LONGEST_LINK: Final = 512
"""A key longer than this names no session; it is not followed."""

# A run that names its parent belongs to the group of the parent's own items.
_LINK_NAMES: Final = {name: names.RUN_ID if name == names.RUN_PARENT else name for name in names.GROUP_KEYS}
_ENCODED: Final = {name: bytes([len(name)]) + name.encode() for name in names.GROUP_KEYS}
_KEYS: Final = {encoded: name for name, encoded in _ENCODED.items()}


def link(name: str, value: str) -> str:
    """The link that an attribute makes; "" where its value names nothing."""
    return f"{_LINK_NAMES[name]}:{value}" if 0 < len(value) <= LONGEST_LINK else ""


def named_links(attributes: Iterable[KeyValue]) -> list[str]:
    """The links that the attributes make: of each group key the first value that can be one."""
    found: dict[str, str] = {}
    for entry in attributes:
        name = entry.key
        if name in _LINK_NAMES and name not in found and (made := link(name, entry.value.string_value)):
            found[name] = made
    return list(found.values())


class LinkFinder:
    """Finds the links of many messages of one kind, quickly; the same that ``named_links`` finds.

    To look at attributes one by one is what costs most in receiving. Two things spare nearly all of it: a search of
    the encoded message tells which group keys it can have at all, and messages of one sender have them at the same
    place again and again. What the search finds is believed only when that attribute says so itself: text, such as
    the output of a tool, may hold any bytes.

    Args:
        field: the number of the field that the attributes are in.
    """

    __slots__ = ("_candidates", "_places")

    def __init__(self, field: int) -> None:
        self._candidates = _pattern(field)
        self._places: dict[bytes, int] = {}

    def find(self, attributes: Sequence[KeyValue], raw: bytes) -> list[str]:
        """The links that the attributes make, of the message that is written canonically as ``raw``."""
        candidates = self._candidates.findall(raw)
        if not candidates:
            return []
        found: list[str] = []
        for key in candidates:
            name, place = _KEYS[key], self._places.get(key, 0)
            if place < len(attributes) and (entry := attributes[place]).key == name:
                value = entry.value.string_value
                if 0 < len(value) <= LONGEST_LINK:
                    found.append(f"{_LINK_NAMES[name]}:{value}")
        # A candidate that occurs twice is an attribute set twice, of which the first counts, or one in a text.
        if len(found) == len(candidates) and (len(found) == 1 or len(set(candidates)) == len(candidates)):
            return found
        self._places = {_ENCODED[entry.key]: at for at, entry in enumerate(attributes) if entry.key in _ENCODED}
        return named_links(attributes)


@lru_cache(maxsize=8)
def _pattern(field: int) -> re.Pattern[bytes]:
    """Finds what may be a group key in that field.

    A KeyValue as it is written canonically: tag, a length of one or two bytes, and its key first. A link of
    LONGEST_LINK characters is well below what needs three.
    """
    tag, keys = re.escape(bytes([field << 3 | LENGTH])), b"|".join(map(re.escape, _KEYS))
    return re.compile(tag + rb".{1,2}\n(" + keys + rb")", re.DOTALL)
