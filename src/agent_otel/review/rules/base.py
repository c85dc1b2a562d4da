"""What a rule is, and how a table of rules becomes findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from agent_otel.model.record import Finding, Layer, RunRecord, Severity
from agent_otel.review.wording import count

MOST_PER_RULE: Final = 50
"""A record stays an index: past this many, a rule's findings are counted in one more."""


class Notice(NamedTuple):
    """What a rule noticed. ``severity`` and ``layer`` stand where this case differs from the rule's own.

    ``refs`` name entries of the record: the id of a command, failure or verification, the path of a file, the name of a
    required check without an entry, or the place of what has no name (``decisions[0]``, ``task``, ``capture``).
    """

    message: str
    refs: tuple[str, ...] = ()
    severity: Severity | None = None
    layer: Layer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A kind of finding.

    ``summary`` says what is wrong, ``example`` what triggers it, ``remedy`` how to repair or silence it. ``layer`` is
    the part of the harness a fix most likely belongs to. ``check`` reads a judged record.
    """

    id: str
    severity: Severity
    layer: Layer
    summary: str
    example: str
    remedy: str
    check: Callable[[RunRecord], Iterator[Notice]]


def findings(rules: Iterable[Rule], record: RunRecord) -> Iterator[Finding]:
    """What the rules say about a judged record: in the order of the rules, then of the record."""
    for rule in rules:
        notices = list(rule.check(record))
        for notice in notices[:MOST_PER_RULE]:
            yield _finding(rule, notice)
        left = len(notices) - MOST_PER_RULE
        if left > 0:
            yield _finding(rule, Notice(f"and {count(left, 'more finding')} of this rule"))


def _finding(rule: Rule, notice: Notice) -> Finding:
    return Finding(
        rule=rule.id,
        severity=notice.severity or rule.severity,
        message=notice.message,
        refs=notice.refs,
        layer=notice.layer or rule.layer,
    )
