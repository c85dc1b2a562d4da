"""Coverage in the JSON of coverage.py: its totals."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from agent_otel.errors import DecodeError
from agent_otel.review.reports.report import Coverage, Report, digest

_Number = Annotated[int, msgspec.Meta(ge=0)]


class _Totals(msgspec.Struct):
    covered_lines: _Number
    num_statements: _Number


class _Document(msgspec.Struct):
    totals: _Totals


_SIGN: Final = b'"totals"'


def claims(data: bytes) -> bool:
    """True for an object of JSON with totals of lines."""
    return data.lstrip().startswith(b"{") and _SIGN in data and b'"covered_lines"' in data


def read(data: bytes) -> Report:
    """The report.

    Raises:
        DecodeError: it is damaged, or other JSON.
    """
    try:
        totals = msgspec.json.decode(data, type=_Document).totals
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = f"not the JSON of coverage.py: {exc}"
        raise DecodeError(message) from exc
    covered = Coverage(covered=totals.covered_lines, total=totals.num_statements)
    return Report(form="coverage-json", sha256=digest(data), size=len(data), coverage=covered)
