"""What a run says of its own checks, held against what was seen of them.

Agents' last words are read for sentences that claim a success ("all 4 tests pass"); wishes, conditions and denials
claim nothing. Each is held against the last run of a check of its kind: ``contradicted`` where that failed or counted
otherwise, ``stale`` where files changed since, ``claimed`` where nothing of the kind ran, ``unverifiable`` where
telemetry could not have shown it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from agent_otel.model.limits import HIDING_COMMANDS
from agent_otel.model.record import CheckKind, Claim, Command, RunRecord, Statement, Verdict, Verification
from agent_otel.review.wording import line


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
        rf"\b(?:tests?|specs?|suite)\b[^.!?]{{0,40}}\b{_WENT_WELL}\b|\b\d+ (?:tests? |checks? )?pass(?:ed|ing|es)?\b"
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
        rf"\blint(?:er|ing)?\b[^.!?]{{0,40}}\b{_WENT_WELL}\b",
        r"lint|ruff|flake8|check|clippy|rubocop",
    ),
    _topic(
        "types",
        rf"\btype[- ]?check(?:er|ing|s)?\b[^.!?]{{0,40}}\b{_WENT_WELL}\b",
        r"\btsc\b|mypy|pyright|check|types",
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
_COUNTED: Final = re.compile(
    r"\b(\d{1,6})(?:\s*/\s*\d{1,6})? (?:of \d{1,6} )?(?:\w+ )?(?:(?:tests?|checks?|specs?|examples?)\b|pass)",
    re.IGNORECASE,
)
_WEAKNESS: Final[dict[Verdict, int]] = {"proved": 0, "unverifiable": 1, "stale": 2, "claimed": 3, "contradicted": 4}


def held(claim: Claim, record: RunRecord) -> Claim:
    """The claim with what it states of checks, and what each statement is worth; needs the verdicts of the record."""
    made = tuple(statements(claim.text, record))
    worst = max((each.verdict for each in made), key=_WEAKNESS.__getitem__, default=None)
    return replace(claim, statements=made, verdict=worst)


def statements(text: str, record: RunRecord) -> Iterator[Statement]:
    """What a text states of checks, a statement for each kind."""
    for topic in TOPICS:
        sentence = claimed(topic, text)
        if sentence is not None:
            yield _held(topic, sentence, record)


def claimed(topic: Topic, text: str) -> str | None:
    """The first sentence of ``text`` that claims success in ``topic``; wishes, conditions and denials are no claims."""
    for sentence in _SENTENCE.split(text):
        if topic.said.search(sentence) and not _NOT_A_CLAIM.search(_NO_FAILURES.sub("", sentence)):
            return sentence.strip()
    return None


def _held(topic: Topic, sentence: str, record: RunRecord) -> Statement:
    checks = [each for each in record.verifications if each.outcome != "not_run" and _is_of(topic, each, sentence)]
    if checks:
        verdict, reason = _by_check(checks[-1], sentence)
        return _statement(topic, sentence, verdict, reason, checks[-1].command_id or checks[-1].id)
    runs = [run for run in record.commands if topic.shown.search(run.command) or run.command in sentence]
    if runs:
        return _statement(topic, sentence, *_by_command(runs[-1]), runs[-1].id)
    if record.tool_calls and not HIDING_COMMANDS.isdisjoint(record.capture.limits):
        return _statement(topic, sentence, "unverifiable", "command results were not recorded")
    return _statement(topic, sentence, "claimed", "it names no command, and the record has none for it")


def _is_of(topic: Topic, check: Verification, sentence: str) -> bool:
    if check.kind is not None:
        return check.kind == topic.kind
    return bool(topic.shown.search(check.command or check.check)) or check.check in sentence


def _by_check(check: Verification, sentence: str) -> tuple[Verdict, str]:
    verdict = check.verdict or "unverifiable"
    if verdict in ("failed", "contradicted"):
        return "contradicted", f"the last such check failed: {check.verdict_reason}"
    number = _COUNTED.search(sentence)
    passed = check.counts.passed if check.counts else None
    if number is not None and passed is not None and int(number[1]) != passed:
        return "contradicted", f"it says {number[1]}, and the output of {check.check!r} counts {passed} that passed"
    return verdict, check.verdict_reason or ""


_BY_RESULT: Final[dict[str, Verdict]] = {"passed": "proved", "unknown": "unverifiable"}


def _by_command(run: Command) -> tuple[Verdict, str]:
    """What the result of a command says that is no check by its line, but was named or looks like one."""
    verdict = _BY_RESULT.get(run.result, "contradicted")
    if verdict == "unverifiable":
        return verdict, "command results were not recorded"
    return verdict, f"the last such command is {line(run)}"


def _statement(topic: Topic, sentence: str, verdict: Verdict, reason: str, ref: str = "") -> Statement:
    return Statement(
        kind=topic.kind, text=_short(sentence), verdict=verdict, verdict_reason=reason, refs=(ref,) if ref else ()
    )


_QUOTE: Final = 100


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _QUOTE else sentence[: _QUOTE - 1] + "…"
