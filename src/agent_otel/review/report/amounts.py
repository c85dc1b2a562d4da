"""How figures are written on the page: a few digits, and the unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from agent_otel.review.wording import duration

NOTHING: Final = "\u2013"
"""Where a figure is not known."""

_THOUSAND: Final = 1000
_PREFIXES: Final = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**4, "k"))
_UNITS: Final = ((3600, "h"), (60, "min"), (1, "s"), (0.001, "ms"))


def whole(number: float | None) -> str:
    """A number of things, such as ``1 204`` or ``88 k``."""
    if number is None:
        return NOTHING
    for size, prefix in _PREFIXES:
        if number >= size:
            return f"{number / (_THOUSAND if prefix == 'k' else size):.3g} {prefix}"
    return f"{number:,.0f}".replace(",", "\u202f")


def percent(share: float | None) -> str:
    """A share, such as ``79 %``."""
    if share is None:
        return NOTHING
    return f"{share * 100:.0f} %" if share in (0, 1) or share >= 0.1 else f"{share * 100:.1f} %"  # noqa: PLR2004 - one digit below ten


def seconds(number: float | None) -> str:
    """A length of time, such as ``8.1 s``."""
    return NOTHING if number is None else duration(number)


def about(number: float | None) -> str:
    """A length of time in few characters, such as ``6.4 min``."""
    if number is None:
        return NOTHING
    for size, unit in _UNITS:
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return "0"


def dollars(number: float | None) -> str:
    """An amount of money, such as ``$ 0.042``."""
    if number is None:
        return NOTHING
    return f"$ {number:.2f}" if number >= 1 or number == 0 else f"$ {number:.2g}"


def hours(number: float | None) -> str:
    """A length of time in hours, such as ``2.5 h``."""
    return NOTHING if number is None else duration(number * 3600)


AMOUNTS: Final[Mapping[str, Callable[[float | None], str]]] = {
    "whole": whole,
    "percent": percent,
    "seconds": seconds,
    "about": about,
    "dollars": dollars,
    "hours": hours,
}
