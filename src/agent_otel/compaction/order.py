"""An order for what has none: equal for equal sets, whatever the order in which their members came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_FIRST = itemgetter(0)

_encoder = msgspec.json.Encoder(order="sorted", enc_hook=dict)  # resources are shared, and so read-only views


def canonical(value: object) -> bytes:
    """Bytes that are equal for equal values, whatever the order of their keys."""
    return _encoder.encode(value)


def in_order(values: Iterable[T], key: Callable[[T], Any], content: Callable[[T], object]) -> list[T]:
    """The values sorted by ``key``; those it does not tell apart, by what is in them.

    Writing out the content is what costs, and few values need it.
    """
    keyed = sorted(((key(value), value) for value in values), key=_FIRST)
    if all(one[0] != other[0] for one, other in pairwise(keyed)):
        return [value for _, value in keyed]
    by_key = ([value for _, value in alike] for _, alike in groupby(keyed, _FIRST))
    return [value for alike in by_key for value in (_by_content(alike, content) if len(alike) > 1 else alike)]


def _by_content(alike: list[T], content: Callable[[T], object]) -> list[T]:
    return sorted(alike, key=lambda value: canonical(content(value)))
