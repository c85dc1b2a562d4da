"""Every form of report, recognised by its content. A new one is one module and one entry here.

What is none of them is a log: its digest counts, and the numbers of its last summary where a tool is recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from agent_otel.errors import DecodeError
from agent_otel.model.record import Counts
from agent_otel.review.reports import cobertura, coverage_json, go_cover, junit, lcov
from agent_otel.review.reports.report import Form, Report, digest, within_size

Tally = Callable[[str], Counts | None]
"""Counts what the end of an output tells of its tests; ``compaction.shell.counts.counts`` does."""


class Reader(NamedTuple):
    """A form: whether bytes look like it, and what they say."""

    form: Form
    claims: Callable[[bytes], bool]
    read: Callable[[bytes], Report]


READERS: Final = (
    Reader("junit", junit.claims, junit.read),
    Reader("cobertura", cobertura.claims, cobertura.read),
    Reader("coverage-json", coverage_json.claims, coverage_json.read),
    Reader("go-cover", go_cover.claims, go_cover.read),
    Reader("lcov", lcov.claims, lcov.read),
)
TESTS: Final = frozenset[Form](["junit"])
"""Forms that tell of tests."""
COVERAGE: Final = frozenset(reader.form for reader in READERS) - TESTS
"""Forms that tell of coverage."""


def read_report(data: bytes, *, tally: Tally, expected: frozenset[Form] = frozenset()) -> Report:
    """What a report says.

    Args:
        data: the whole of it.
        tally: counts the tests of a log.
        expected: the forms that it must have one of; any, where none is given.

    Raises:
        TooLarge: it is larger than any report.
        DecodeError: it is damaged, or of another form than ``expected``.
    """
    within_size(data)
    reader = next((reader for reader in READERS if reader.claims(data)), None)
    form = reader.form if reader else "log"
    if expected and form not in expected:
        message = f"expected a report of the form {' or '.join(sorted(expected))}; this looks like {_ARTICLED[form]}"
        raise DecodeError(message)
    return reader.read(data) if reader else _log(data, tally)


_ARTICLED: Final[dict[Form, str]] = {
    "junit": "JUnit XML",
    "cobertura": "Cobertura XML",
    "coverage-json": "the JSON of coverage.py",
    "go-cover": "a Go coverage profile",
    "lcov": "a tracefile of lcov",
    "log": "a plain log",
}


def _log(data: bytes, tally: Tally) -> Report:
    counts = tally(data.decode("utf-8", "replace"))
    return Report(form="log", sha256=digest(data), size=len(data), counts=counts)
