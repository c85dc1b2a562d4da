"""What a report says, whichever tool wrote it: digest, numbers, and the names of what failed."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.model.record import LARGEST_EVIDENCE, Counts
from agent_otel.review.wording import count

Form = Literal["junit", "cobertura", "coverage-json", "lcov", "go-cover", "log"]

MOST_FAILING: Final = 20
"""Names of failed tests that are kept; ``Report.unnamed`` counts the others."""
LONGEST_NAME: Final = 300


class Coverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of the code ran: so many of all, in the unit that the tool counts in."""

    covered: int
    total: int
    unit: Literal["lines", "statements"] = "lines"

    @property
    def percent(self) -> float:
        """The share that ran, of a hundred; of nothing, nothing ran."""
        return round(100 * self.covered / self.total, 2) if self.total else 0.0


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a report says.

    ``counts`` has its tests, where it counts any: ``skipped`` are tests that the tool left out, which is not a check
    that was skipped. ``failing`` names the tests that failed or broke. ``remarks`` say where a report contradicts
    itself.
    """

    form: Form
    sha256: str
    size: int
    counts: Counts | None = None
    failing: tuple[str, ...] = ()
    unnamed: int = 0
    duration_s: float | None = None
    coverage: Coverage | None = None
    remarks: tuple[str, ...] = ()


def digest(data: bytes) -> str:
    """The SHA-256 of a report, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def went_wrong(tallied: Counts | None) -> int:
    """How many tests failed or broke."""
    return (tallied.failed or 0) + (tallied.errors or 0) if tallied else 0


def told(tallied: Counts) -> str:
    """Numbers as a reader wants them: ``141 passed, 1 failed, 2 skipped``."""
    passed, failed, skipped = tallied.passed or 0, tallied.failed or 0, tallied.skipped or 0
    parts = [f"{passed} passed", f"{failed} failed" if failed else "", f"{skipped} skipped" if skipped else ""]
    return ", ".join(filter(None, [*parts, count(tallied.errors, "error") if tallied.errors else ""]))


def within_size(data: bytes) -> None:
    """Lets pass what is small enough to be read.

    Raises:
        TooLarge: it is not.
    """
    if len(data) > LARGEST_EVIDENCE:
        message = f"a report may have {LARGEST_EVIDENCE} bytes, this one has {len(data)}"
        raise TooLarge(message)


def whole(text: str | None, *, what: str) -> int:
    """A number that may not be negative.

    Raises:
        DecodeError: it is something else.
    """
    stripped = (text or "").strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= _DIGITS:
        return int(stripped)
    message = f"{what}: expected a number, got {stripped[:_DIGITS]!r}"
    raise DecodeError(message)


_DIGITS: Final = 18
