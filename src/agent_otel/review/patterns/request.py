"""What a run was asked to do, and the signs that it could be read in more than one way.

That a task lacks a scope is no sign: most do, and go well. A sign is that somebody corrected the request afterwards, or
that the run says what it took the request to mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from agent_otel.model.record import RunRecord
from agent_otel.review.incidents.case import TRUNKS
from agent_otel.review.incidents.waste import rolls_back
from agent_otel.review.wording import shortened
from agent_otel.text.terminal import printable

MOST_SIGNS: Final = 5
LONG: Final = 120

_TAKES_BACK: Final = (
    r"^\W*(?:no|nope|stop|wait|wrong)\s*[,.!:;\u2013\u2014-]|^\W*not (?:quite|like that)\b"
    r"|\b(?:i|we) (?:meant|mean|wanted|asked for|said)\b|\b(?:did not|didn['\u2019]?t) (?:mean|ask for|want)\b"
    r"|\bthat(?:['\u2019]s| is| was) not what\b|\bnot what (?:i|we)\b|\bmisunderst\w+|\bto (?:be clear|clarify)\b"
)
_NARROWS: Final = (
    r"\binstead\b(?! of)|\bshould(?:n['\u2019]?t| not) have\b|\bout of scope\b"
    r"|(?:^|[.!?,;]\s+)(?:(?:please|but|and|then) )*(?:revert|undo|roll back|take back)\b"
    r"|\b(?:don['\u2019]?t|do not) (?:touch|change|edit)\b|\bleave\b.{1,60}\b(?:alone|as (?:it|they))\b"
    r"|\bonly (?:the|in|change|touch|edit)\b"
)
_RESTATES: Final = re.compile(_TAKES_BACK, re.IGNORECASE)
_CORRECTS: Final = re.compile(f"{_TAKES_BACK}|{_NARROWS}", re.IGNORECASE)
"""What is said after the fact may be shorter than what is said anew: a task of its own may well say "only the"."""

_READS: Final = re.compile(
    r"\bambigu\w+|\bunclear\b|\b(?:under|un)specified\b|\bnot (?:specified|stated|clear|mentioned)\b"
    r"|\b(?:can|could|may|might) be read\b|\binterpret\w*\b.{0,40}\b(?:as|to mean)\b"
    r"|\b(?:read|took|take|taking) (?:it|this|that|the (?:request|task|ticket|issue)) (?:as|to mean)\b"
    r"|\b(?:assum|presum|guess)\w*\b.{0,20}\b(?:request|task|ticket|issue|user|intent\w*|scope|you)\b",
    re.IGNORECASE,
)
"""Says how a request was read."""

_ASSUMES: Final = re.compile(r"\b(?:assum|presum)\w+|\bguess\w*", re.IGNORECASE)
_ASKED: Final = re.compile(
    r"\b(?:request|task|ticket|issue|user|scope|intent\w*|meant|asked|wanted|requirements?)\b", re.IGNORECASE
)


class Sign(msgspec.Struct, frozen=True):
    """A sign that a request could be read in more than one way, in words, and the entry that shows it."""

    said: str
    entry: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked.

    ``lacks`` are ``scope`` and ``acceptance`` where they are not stated. ``names`` tell the same task, and ``corrects``
    is True of one that takes back another.
    """

    lacks: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    task: str = ""
    branch: str = ""
    corrects: bool = False


def request_of(record: RunRecord) -> Request:
    """The request of a run; nobody looks for signs in one that says scope and acceptance."""
    task = record.task
    lacks = tuple(name for name, stated in (("scope", task.scope), ("acceptance", task.acceptance)) if not stated)
    where, objective = record.base.repository or "", " ".join((task.objective or "").split()).casefold()
    branch = record.base.branch or ""
    return Request(
        lacks=lacks,
        signs=tuple(_signs(record))[:MOST_SIGNS] if lacks else (),
        task=f"{where} {shortened(objective, LONG)}" if objective else "",
        branch=f"{where} {branch}" if branch not in TRUNKS else "",
        corrects=_RESTATES.search(objective) is not None,
    )


def _signs(record: RunRecord) -> Iterator[Sign]:
    yield from _matching("it was corrected later on", record.task.follow_ups, "task", _CORRECTS)
    if record.task.follow_ups:
        undone = (each for each in record.commands if each.result == "passed" and rolls_back(each.command))
        yield from (Sign("its work was rolled back in between", each.id) for each in undone)
    for place, decision in enumerate(record.decisions):
        yield from _matching("a decision says", (decision.option,), f"decisions[{place}]", _ASSUMES, _READS)
    if record.handoff is not None:
        yield from _matching("the handoff assumes", record.handoff.assumptions, "handoff", _READS, _ASKED)
    for place, risk in enumerate(record.open_risks):
        yield from _matching("a risk says", (risk,), f"open_risks[{place}]", _READS)
    for place, claim in enumerate(record.claims):
        yield from _matching("its last words say", _sentences(claim.text), f"claims[{place}]", _READS)


def _matching(what: str, texts: Iterable[str], entry: str, *patterns: re.Pattern[str]) -> Iterator[Sign]:
    for text in texts:
        if any(pattern.search(text) for pattern in patterns):
            yield Sign(f"{what}: “{shortened(printable(text), LONG)}”", entry)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+|\n+", text)
