"""What a run says of its own checks, held against what was seen of them.

Each sentence that claims a success ("all 4 tests pass") is held against the last run of a check of its kind:
``contradicted`` where that failed or the runs counted otherwise, ``stale`` where files changed since, ``claimed`` where
nothing of the kind ran or only the agent saw it, ``unverifiable`` where telemetry could not have shown it, or only a
part ran again. Where no check is of the kind, a command that looks like one is judged in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from agent_otel.model.record import Claim, Command, RunRecord, Statement, Verdict, Verification
from agent_otel.review.gaps import hiding_commands
from agent_otel.review.ground import Ground, ground
from agent_otel.review.sentences import Sentence, sentences
from agent_otel.review.verdicts import Judgement, on_final
from agent_otel.review.wording import line

_WEAKNESS: Final[dict[Verdict, int]] = {"proved": 0, "unverifiable": 1, "stale": 2, "claimed": 3, "contradicted": 4}


def held(claim: Claim, record: RunRecord) -> Claim:
    """The claim with what it states of checks, and what each statement is worth; needs the verdicts of the record."""
    made = tuple(statements(claim.text, record))
    worst = max((each.verdict for each in made), key=_WEAKNESS.__getitem__, default=None)
    return replace(claim, statements=made, verdict=worst)


def statements(text: str, record: RunRecord) -> Iterator[Statement]:
    """What a text states of checks, a statement for each kind."""
    for sentence in sentences(text):
        yield _held(sentence, record)


def _held(sentence: Sentence, record: RunRecord) -> Statement:
    # What came from elsewhere later is no matter of what the run could say.
    own = (each for each in record.verifications if each.added is None)
    checks = [each for each in own if each.outcome != "not_run" and _is_of(each, sentence)]
    if checks:
        check, verdict, reason = _by_checks(checks, sentence.number)
        return _statement(sentence, verdict, reason, check.command_id or check.id)
    shown = sentence.topic.shown
    runs = [run for run in record.commands if shown.search(run.command) or run.command in sentence.text]
    if runs:
        return _statement(sentence, *_by_command(runs[-1], ground(record)), runs[-1].id)
    if hidden := hiding_commands(record):
        return _statement(sentence, "unverifiable", f"commands may be missing from the record: {', '.join(hidden)}")
    return _statement(sentence, "claimed", "it names no command, and the record has none for it")


def _is_of(check: Verification, sentence: Sentence) -> bool:
    if check.kind is not None:
        return check.kind == sentence.topic.kind
    return bool(sentence.topic.shown.search(check.command or check.check)) or check.check in sentence.text


def _by_checks(checks: list[Verification], number: int | None) -> tuple[Verification, Verdict, str]:
    """The check that decides, and what it says: the last, or the one that counted the number that is claimed."""
    last, latest = checks[-1], list({check.check: check for check in checks}.values())
    if _went_wrong(last):
        return last, "contradicted", f"the last such check failed: {last.verdict_reason}"
    wider = next((check for check in latest if _went_wrong(check) and _is_part(last.check, check.check)), None)
    if wider is not None:
        return wider, "unverifiable", f"{wider.check!r} failed, and only a part of it ran since: {last.check!r}"
    passed = [check.counts.passed for check in latest if check.counts and check.counts.passed is not None]
    if number is None or not passed or number == sum(passed):
        return last, last.verdict or "unverifiable", last.verdict_reason or ""
    same = next((check for check in reversed(latest) if number in _numbers(check)), None)
    if same is not None and not _went_wrong(same):
        return same, same.verdict or "unverifiable", same.verdict_reason or ""
    if len(passed) < len(latest):
        return last, "unverifiable", f"it says {number}, and not every such check has an output that counts"
    counted = ", ".join(map(str, passed))
    return last, "contradicted", f"it says {number}, and {last.check!r} counts {counted} that passed"


def _went_wrong(check: Verification) -> bool:
    return check.verdict in ("failed", "contradicted")


def _numbers(check: Verification) -> tuple[int, ...]:
    """The numbers by which a run can be told of: those that passed, with or without the skipped."""
    tallied = check.counts
    passed = (tallied and tallied.passed) or 0
    return (passed, passed + ((tallied and tallied.skipped) or 0))


def _is_part(name: str, whole: str) -> bool:
    """True where the first is the second narrowed: ``pytest tests/a`` of ``pytest``, or of ``pytest tests``."""
    words, wanted = name.split(), whole.split()
    return name != whole and words[:1] == wanted[:1] and all(any(w.startswith(want) for w in words) for want in wanted)


def _by_command(run: Command, base: Ground) -> Judgement:
    """What a command says that is no check by its line, but was named or looks like one."""
    if run.result == "unknown":
        return Judgement("unverifiable", "command results were not recorded")
    said = f"the last such command is {line(run)}"
    if run.result != "passed":
        return Judgement("contradicted", said)
    if run.observer == "agent":
        return Judgement("claimed", f"{said}, which nobody but the agent saw")
    return on_final(run, said, base)


def _statement(sentence: Sentence, verdict: Verdict, reason: str, ref: str = "") -> Statement:
    return Statement(
        kind=sentence.topic.kind,
        text=_short(sentence.text),
        verdict=verdict,
        verdict_reason=reason,
        refs=(ref,) if ref else (),
    )


_QUOTE: Final = 100


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _QUOTE else sentence[: _QUOTE - 1] + "…"
