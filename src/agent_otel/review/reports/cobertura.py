"""Coverage in Cobertura's XML, as coverage.py, gcovr, jest and .NET write it: the totals of the outermost element."""

from __future__ import annotations

from collections.abc import Mapping

from agent_otel.errors import DecodeError
from agent_otel.review.reports.markup import root, steps
from agent_otel.review.reports.report import Coverage, Report, digest, whole


def claims(data: bytes) -> bool:
    """True for XML whose outermost element is ``coverage``."""
    first = root(data)
    return first is not None and first.name == "coverage"


def read(data: bytes) -> Report:
    """The report.

    Raises:
        DecodeError: it is damaged, or has no totals.
    """
    totals: Mapping[str, str] = {}
    for step in steps(data):  # to the end: what breaks off is no report
        if step.ends and not step.above:
            totals = step.attributes
    if "lines-valid" not in totals:
        message = "a coverage report has 'lines-valid' and 'lines-covered' in its first element; this has none"
        raise DecodeError(message)
    covered = whole(totals.get("lines-covered"), what="lines-covered")
    total = whole(totals["lines-valid"], what="lines-valid")
    return Report(
        form="cobertura", sha256=digest(data), size=len(data), coverage=Coverage(covered=covered, total=total)
    )
