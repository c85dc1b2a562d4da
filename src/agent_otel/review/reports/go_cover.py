"""Coverage in Go's profiles: a line for each block, with how many statements it has and how often it ran."""

from __future__ import annotations

import re
from typing import Final

from agent_otel.errors import DecodeError
from agent_otel.review.reports.report import Coverage, Report, digest

_BEGINS: Final = re.compile(rb"mode: (?:set|count|atomic)\r?\n")
_BLOCK: Final = re.compile(r"(.+:\d+\.\d+,\d+\.\d+) (\d{1,9}) (\d{1,18})")


def claims(data: bytes) -> bool:
    """True for what begins with the mode of a profile."""
    return _BEGINS.match(data) is not None


def read(data: bytes) -> Report:
    """The report; of a block that is told several times, one that ran counts.

    Raises:
        DecodeError: a line is no block.
    """
    blocks: dict[str, tuple[int, bool]] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines()[1:], start=2):
        match = _BLOCK.fullmatch(line.strip())
        if match is None:
            message = f"line {number} is no block of a Go profile: {line[:80]!r}"
            raise DecodeError(message)
        ran = blocks.get(match[1], (0, False))[1] or int(match[3]) > 0
        blocks[match[1]] = int(match[2]), ran
    covered = sum(size for size, ran in blocks.values() if ran)
    total = sum(size for size, _ in blocks.values())
    coverage = Coverage(covered=covered, total=total, unit="statements")
    return Report(form="go-cover", sha256=digest(data), size=len(data), coverage=coverage)
