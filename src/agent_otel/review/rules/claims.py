"""Rules about words that no run stands behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent_otel.model.record import Command, RunRecord
from agent_otel.review.rules.base import Notice
from agent_otel.review.standing import standings
from agent_otel.review.wording import line


class Topic(NamedTuple):
    """Something agents like to claim: how it is said, and what the command lines that would show it look like."""

    name: str
    said: re.Pattern[str]
    shown: re.Pattern[str]


def _topic(name: str, said: str, shown: str) -> Topic:
    return Topic(name, re.compile(said, re.IGNORECASE), re.compile(shown, re.IGNORECASE))


_WENT_WELL: Final = r"(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?|successful(?:ly)?|clean)"
TOPICS: Final = (
    _topic(
        "tests",
        rf"\b(?:tests?|specs?|suite)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b|\b\d+ pass(?:ed|ing)\b"
        r"|\bpass(?:es|ed)? (?:all )?(?:of )?(?:the )?tests\b",
        r"test|spec|jest|mocha|playwright|cypress|\btox\b|\bnox\b|check|verify|cargo|gradle|mvn",
    ),
    _topic(
        "build",
        rf"\b(?:build|compilation|lint(?:er|ing)?|type[- ]?check(?:er|ing|s)?)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b"
        r"|\bcompiles? (?:cleanly|successfully|fine)\b",
        r"build|make|compile|\btsc\b|webpack|vite|cargo|gradle|mvn|lint|ruff|flake8|mypy|pyright|check|clippy",
    ),
)

_NO_FAILURES: Final = re.compile(
    r"\b(?:no|0|zero|without(?: any)?) (?:test )?"
    r"(?:fail(?:ures?|ed|ing)|errors?|regressions?|warnings?|issues?|problems?)\b",
    re.IGNORECASE,
)
_NOT_A_CLAIM: Final = re.compile(
    r"n't\b|\b(?:not|never|cannot|fail\w*|except|until|unless|once|if|when|whether|should|shall|must|will|would|could"
    r"|can|may|might|make sure|ensure\w*|verify|confirm|need\w*|so that|expect\w*|skip\w*|unverified|todo|to be"
    r"|previously)\b",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"[.!?](?=\s|$)|[\n;]")


def claim_without_command(record: RunRecord) -> Iterator[Notice]:
    """A pass that is only said: a verification without evidence, or "tests pass" in the run's own words."""
    for check in standings(record):
        if check.verification is not None and check.verdict == "claimed":
            yield Notice(
                f"{check.check!r} passes by the agent's word alone: {check.verification.verdict_reason}",
                check.refs,
                "error" if check.required else None,
            )
    for ref, text in _words(record):
        for topic in TOPICS:
            sentence = claimed(topic, text)
            if sentence is not None:
                yield from _unbacked(record, topic, sentence, ref)


def claimed(topic: Topic, text: str) -> str | None:
    """The first sentence of ``text`` that claims success in ``topic``; wishes, conditions and denials are no claims."""
    for sentence in _SENTENCE.split(text):
        if topic.said.search(sentence) and not _NOT_A_CLAIM.search(_NO_FAILURES.sub("", sentence)):
            return sentence.strip()
    return None


def _words(record: RunRecord) -> Iterator[tuple[str, str]]:
    """What the run says of itself in prose, with its place in the record."""
    for place, claim in enumerate(record.claims):
        yield f"claims[{place}]", claim.text
    if record.handoff is not None:
        yield "handoff", record.handoff.status or ""


def _unbacked(record: RunRecord, topic: Topic, sentence: str, ref: str) -> Iterator[Notice]:
    """A notice unless the last command on this topic, or one the sentence names, is seen to pass."""
    runs = [run for run in record.commands if topic.shown.search(run.command) or run.command in sentence]
    if runs and runs[-1].result == "passed":
        return
    quoted = f'"{_short(sentence)}"'
    if runs and runs[-1].result != "unknown":
        yield Notice(f"{quoted}, but the last such command is {line(runs[-1])}", (ref, runs[-1].id))
    elif runs or _commands_may_be_hidden(record):
        yield Notice(
            f"{quoted} cannot be checked: command results were not recorded", (ref, *_ids(runs)), "info", "capture"
        )
    else:
        yield Notice(f"{quoted} names no command, and the record has none for it", (ref,))


def _ids(runs: list[Command]) -> tuple[str, ...]:
    return tuple(run.id for run in runs[-1:])


def _commands_may_be_hidden(record: RunRecord) -> bool:
    """True when telemetry without tool arguments shows calls but not what they ran."""
    return bool(record.capture.limits) and bool(record.tool_calls)


_QUOTE: Final = 100


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _QUOTE else sentence[: _QUOTE - 1] + "…"
