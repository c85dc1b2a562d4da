"""Sentences in which an agent claims a success of its checks, and the number it gives.

Wishes, conditions and denials claim nothing, and neither does a part: "2 of 4 tests pass" is the report of a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent_otel.model.record import CheckKind


class Topic(NamedTuple):
    """Something agents like to claim: how it is said, and what the command lines that would show it look like."""

    kind: CheckKind
    said: re.Pattern[str]
    shown: re.Pattern[str]


def _topic(kind: CheckKind, said: str, shown: str) -> Topic:
    return Topic(kind, re.compile(said, re.IGNORECASE), re.compile(shown, re.IGNORECASE))


_WENT_WELL: Final = r"(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?|successful(?:ly)?|clean)"
TOPICS: Final = (
    _topic(
        "test",
        rf"\b(?:tests?|specs?|suite|pytest|jest|vitest)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b"
        r"|\b\d+ (?:tests? |checks? )?pass(?:ed|ing|es)?\b"
        r"|\bpass(?:es|ed)? (?:all )?(?:of )?(?:the )?tests\b|\bpass(?:es)? \(\d+ (?:tests?|checks?)\)",
        r"test|spec|jest|mocha|playwright|cypress|\btox\b|\bnox\b|check|verify|cargo|gradle|mvn",
    ),
    _topic(
        "build",
        rf"\b(?:build|compilation)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b|\bcompiles? (?:cleanly|successfully|fine)\b",
        r"build|make|compile|\btsc\b|webpack|vite|cargo|gradle|mvn",
    ),
    _topic(
        "lint",
        rf"\b(?:lint(?:er|ing)?|ruff|eslint|flake8|clippy)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b"
        r"|\bno lint(?:er|ing)? (?:errors|issues)\b",
        r"lint|ruff|flake8|check|clippy|rubocop",
    ),
    _topic(
        "types",
        rf"\b(?:type[- ]?check(?:er|ing|s)?|mypy|pyright|tsc)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b|\bno type errors\b",
        r"\btsc\b|mypy|pyright|check|types",
    ),
)


class Sentence(NamedTuple):
    """A sentence that claims success in ``topic``; ``number`` is how many passed by its words, where it says."""

    topic: Topic
    text: str
    number: int | None = None


_NO_FAILURES: Final = re.compile(
    r"\b(?:no|0|zero|without(?: any)?) (?:test |lint(?:er|ing)? |type )?"
    r"(?:fail(?:ures?|ed|ing)|errors?|regressions?|warnings?|issues?|problems?)\b"
    r"|\b(?:previously|formerly|originally)[- ]fail(?:ing|ed)\b|\b0 skipped\b"
    r"|\bfix(?:es|ed)? (?:(?:the|a|all|both|two|\d+) )?(?:failing|failed|failures?)\b",
    re.IGNORECASE,
)
"""What sounds like a failure and is none."""
_NOT_A_CLAIM: Final = re.compile(
    r"n't\b|\b(?:not|never|cannot|fail\w*|except|until|unless|once|if|when|whether|should|shall|must|will|would|could"
    r"|can|may|might|make sure|ensure\w*|verify|confirm|need\w*|so that|expect\w*|skip\w*|unverified|todo|to be"
    r"|previously|most|some|half)\b",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"[.!?](?=\s|$)|[\n;]")
_THING: Final = r"(?:tests?|checks?|specs?|examples?|cases?)\b"
_OTHER: Final = r"(?!(?:new|more|additional|added|other|remaining|extra|of|and|files?)\b)"
_NUMBERED: Final = re.compile(
    rf"\b(?P<part>\d{{1,6}})(?:\s*/\s*| (?:out )?of (?:the |all )?)(?P<whole>\d{{1,6}})\b"
    rf"|\ball (?:of )?(?:the )?(?P<all>\d{{1,6}}) (?:{_OTHER}[\w-]+ )?{_THING}"
    rf"|\b(?P<plain>\d{{1,6}}) (?:{_OTHER}[\w-]+ )?(?:{_THING} )?(?:(?:are|have|all|now|still) ){{0,2}}"
    r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|green)\b"
    rf"|\bpass(?:es|ed)? \((?P<bracket>\d{{1,6}}) {_THING}",
    re.IGNORECASE,
)


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text that claim a success, the first of each topic."""
    for topic in TOPICS:
        found = next((sentence for part in _SENTENCE.split(text) if (sentence := _claim(topic, part))), None)
        if found is not None:
            yield found


def _claim(topic: Topic, sentence: str) -> Sentence | None:
    if not topic.said.search(sentence) or _NOT_A_CLAIM.search(_NO_FAILURES.sub("", sentence)):
        return None
    match = _NUMBERED.search(sentence) if topic.kind == "test" else None
    if match is None:
        return Sentence(topic, sentence.strip())
    number = int(next(group for group in match.groups() if group))
    if match["whole"] and number < int(match["whole"]):
        return None
    return Sentence(topic, sentence.strip(), number)
