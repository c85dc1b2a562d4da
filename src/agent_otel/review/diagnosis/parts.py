"""The parts that failures in general come from (requirements.md §3), each with what points to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from agent_otel.model import limits, names
from agent_otel.review.diagnosis import signs
from agent_otel.review.diagnosis.quotes import quoted
from agent_otel.review.diagnosis.shape import Part, PartDiagnosis, Quote, Sign


class _Row(NamedTuple):
    """A part: what points to it, and the limits of telemetry that would hide that."""

    part: Part
    finders: tuple[signs.Signs, ...]
    hiding: frozenset[str]


_PARTS: Final = (
    _Row(
        "implementation",
        (signs.of_checks("implementation"), signs.unresolved),
        limits.HIDING_COMMANDS | {limits.EXIT_CODES_UNTOLD, limits.FAILED_OUTPUT_UNTOLD, limits.FAILED_EDITS_UNTOLD},
    ),
    _Row(
        "verification",
        (
            signs.of_checks("verification"),
            signs.of_rules("contradicted-verification", "stale-verification", "claim-without-command"),
            signs.undemanded,
            signs.fewer_tests,
        ),
        limits.HIDING_COMMANDS | limits.HIDING_EDITS | {limits.EXIT_CODES_UNTOLD, limits.SHELL_EDITS_UNSEEN},
    ),
    _Row(
        "context",
        (signs.of_rules("unread-edit"), signs.unread, signs.unloaded),
        limits.HIDING_READS | {limits.PROMPT_UNTOLD},
    ),
    _Row(
        "handoff",
        (signs.of_rules("contradicted-claim", "no-handoff", "only-summary"), signs.unnamed),
        frozenset([limits.FINAL_MESSAGE_UNTOLD, limits.TAIL_LOST]),
    ),
    _Row(
        "runway",
        (signs.of_checks("runway"), signs.unavailable),
        frozenset([limits.FAILED_OUTPUT_UNTOLD, limits.CONTENT_OFF]),
    ),
)


def parts(whole: signs.Whole, known: Mapping[str, Quote]) -> tuple[PartDiagnosis, ...]:
    """Each part with what points to it, and what telemetry would have to show besides."""
    return tuple(
        PartDiagnosis(part=row.part, signs=tuple(_signs(row, whole, known)), missing=tuple(_missing(row, whole)))
        for row in _PARTS
    )


def _signs(row: _Row, whole: signs.Whole, known: Mapping[str, Quote]) -> Iterator[Sign]:
    for find in row.finders:
        for hint in find(whole):
            yield Sign(because=hint.because, check=hint.check, quotes=quoted(hint.refs, known))


def _missing(row: _Row, whole: signs.Whole) -> Iterator[str]:
    record = whole.record
    yield from (limit for limit in record.capture.limits if limit in row.hiding)
    if row.part == "handoff" and record.handoff is None and record.agent.dialect != names.SCOPE:
        yield "a handoff: this telemetry carries none"
