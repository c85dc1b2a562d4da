"""Coverage in lcov's tracefiles: a ``DA`` line for each line of each source file."""

from __future__ import annotations

import re
from typing import Final

from agent_otel.errors import DecodeError
from agent_otel.review.reports.report import Coverage, Report, digest

_BEGINS: Final = re.compile(rb"\s*(?:TN:[^\n]*\s+)?SF:")
_LINE: Final = re.compile(r"DA:(\d{1,9}),(-?\d{1,18})(?:,.*)?")


def claims(data: bytes) -> bool:
    """True for what begins as a tracefile does: perhaps the name of a test, then a source file."""
    return _BEGINS.match(data) is not None


def read(data: bytes) -> Report:
    """The report; of a line that several tests ran, one that ran counts.

    Raises:
        DecodeError: it has no source file, or breaks off inside of one.
    """
    ran: dict[tuple[str, str], bool] = {}
    source = ended = ""
    for line in data.decode("utf-8", "replace").splitlines():
        if line.startswith("SF:"):
            source, ended = line[3:].strip(), ""
        elif match := _LINE.fullmatch(line.strip()):
            place = source, match[1]
            ran[place] = ran.get(place, False) or int(match[2]) > 0
        elif line.strip() == "end_of_record":
            ended = source
    if not source or ended != source:
        message = "a tracefile of lcov has records from 'SF:' to 'end_of_record'; this has none, or breaks off in one"
        raise DecodeError(message)
    coverage = Coverage(covered=sum(ran.values()), total=len(ran))
    return Report(form="lcov", sha256=digest(data), size=len(data), coverage=coverage)
