"""What may stand behind the question mark: each parameter once, to be read, refused and described."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Final, get_args
from urllib.parse import parse_qsl

import msgspec

from agent_otel.errors import suggestion
from agent_otel.model.record import Lifecycle, ReviewState, Verdict
from agent_otel.review.rules.table import RULES
from agent_otel.service.api import cursors
from agent_otel.service.api.problems import bad_request

MOST_RUNS: Final = 200
MOST_ITEMS: Final = 1000
_MOST_PARAMETERS: Final = 50
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_MICROSECONDS: Final = 6


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a query.

    ``parse`` gives its value, or raises ``ValueError``; what it ``expects`` completes "expected …". ``schema`` says the
    same to programs.
    """

    name: str
    help: str
    expects: str = "a text"
    schema: Mapping[str, Any]
    parse: Callable[[str], object]


def values(query: str, known: Iterable[Parameter]) -> dict[str, Any]:
    """What the query gives, by name of the parameter.

    Raises:
        Refusal: a parameter is unknown, was given twice, or has a value that cannot be.
    """
    parameters = {parameter.name: parameter for parameter in known}
    found: dict[str, Any] = {}
    for name, text in _pairs(query):
        if name not in parameters:
            message = f"unknown parameter {name!r}: {suggestion(name, parameters) if parameters else 'none is known'}"
            raise bad_request(message)
        if name in found:
            message = f"{name} was given more than once"
            raise bad_request(message)
        try:
            found[name] = parameters[name].parse(text)
        except ValueError as exc:
            message = f"{name}: expected {parameters[name].expects}, got {text!r}"
            raise bad_request(message) from exc
    return found


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        query.encode("ascii")
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except UnicodeError as exc:
        message = "expected parameters in UTF-8, percent-encoded"
        raise bad_request(message) from exc
    except ValueError as exc:
        message = f"expected at most {_MOST_PARAMETERS} parameters"
        raise bad_request(message) from exc


def moment(text: str) -> str:
    """The RFC 3339 time as records have it: in UTC, with milliseconds.

    Raises:
        ValueError: it is none.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(text)
    try:
        when = datetime.fromisoformat(_for_every_python(text.upper())).astimezone(timezone.utc)
    except OverflowError as exc:  # the first and the last day that there are, in another zone
        raise ValueError(text) from exc
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _for_every_python(text: str) -> str:
    """The time with six digits behind its point and a numeric zone, which is all that Python 3.10 reads."""
    clock, zone = (text[:-1], "+00:00") if text.endswith("Z") else (text[:-6], text[-6:])
    whole, _, fraction = clock.partition(".")
    return f"{whole}.{fraction[:_MICROSECONDS]:0<{_MICROSECONDS}}{zone}"


def _text(name: str, what: str) -> Parameter:
    return Parameter(name=name, help=what, schema={"type": "string"}, parse=str)


def _one_of(name: str, what: str, choices: Iterable[str]) -> Parameter:
    known = tuple(choices)

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return Parameter(
        name=name,
        help=what,
        expects=f"one of {', '.join(known)}",
        schema={"type": "string", "enum": list(known)},
        parse=parse,
    )


def _time(name: str, what: str) -> Parameter:
    return Parameter(
        name=name,
        help=what,
        expects="an RFC 3339 time such as 2026-05-18T09:12:03Z (a plus sign is written %2B)",
        schema={"type": "string", "format": "date-time"},
        parse=moment,
    )


def _limit(most: int, default: int, what: str) -> Parameter:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
            raise ValueError(text)
        return int(text)

    return Parameter(
        name="limit",
        help=what,
        expects=f"a whole number from 1 to {most}",
        schema={"type": "integer", "minimum": 1, "maximum": most, "default": default},
        parse=parse,
    )


def _cursor(parse: Callable[[str], str]) -> Parameter:
    return Parameter(
        name="cursor",
        help="Where to go on: the cursor that the page before gave.",
        expects="a cursor that a page gave",
        schema={"type": "string", "minLength": 1},
        parse=parse,
    )


RUNS_AT_ONCE: Final = 50
ITEMS_AT_ONCE: Final = 200

OF_RUNS: Final = (
    _one_of(
        "state",
        "Only runs in this review state or lifecycle.",
        (*get_args(ReviewState), *get_args(Lifecycle)),
    ),
    _text("agent", "Only runs of the agent of this name."),
    _text("repository", "Only runs on this repository."),
    _time("since", "Only runs that started then or later."),
    _time("until", "Only runs that started before."),
    _one_of("finding", "Only runs with a finding of this rule.", (rule.id for rule in RULES)),
    _text("check", "Only runs with a check of this name."),
    _one_of("verdict", "Only runs in which a check, the named one if there is one, is worth this.", get_args(Verdict)),
    _text("file", "Only runs that changed the file at this path."),
    _text("fingerprint", "Only runs with a failure or finding of this fingerprint."),
    _one_of("order", "Which runs come first.", ("latest", "earliest")),
    _limit(MOST_RUNS, RUNS_AT_ONCE, "At most so many runs; fewer where they are large."),
    _cursor(cursors.record_cursor),
)
OF_ITEMS: Final = (
    _limit(MOST_ITEMS, ITEMS_AT_ONCE, "At most so many spans and log records; fewer where they are large."),
    _cursor(cursors.item_cursor),
)
