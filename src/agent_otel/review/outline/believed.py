"""Why did the run believe it was complete? Checks and what they are worth, decisions, its own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from agent_otel.model.record import Claim, Decision, RunRecord, Statement, Verdict, Verification
from agent_otel.review.outline.shape import Code, Line, Own, Part, Tone, fact, joined, line, listed, part
from agent_otel.review.testpaths import edited_tests, relies_on_tests

_NAMED: Final = 5
_TONES: Final[dict[Verdict, Tone]] = {"proved": "good", "failed": "bad", "contradicted": "bad"}


def believed(record: RunRecord) -> Iterator[Part]:
    """The parts that answer the third question."""
    edited = tuple(file.path for file in edited_tests(record))
    yield from listed("Verifications", (_verification(check, edited) for check in record.verifications))
    skipped = [check for check in record.verifications if check.id in record.skipped_checks]
    yield from part("Skipped checks", (_skipped(check) for check in skipped))
    yield from listed("Decisions", (_decision(decision) for decision in record.decisions))
    yield from part("The agent's own words", (_claim(claim) for claim in record.claims))
    yield from part("Open risks", (line(risk, tone="warn") for risk in record.open_risks))
    yield from part("Handoff", _handoff(record)) or (Part("Handoff: none recorded", ()),)


def _verification(check: Verification, edited: tuple[str, ...]) -> Line:
    """A check; below it the tests that the run edited, where it relies on them."""
    verdict = check.verdict or "unverifiable"
    required = Own(" (required)" if check.required else "")
    why = (Own(": "), check.verdict_reason) if check.verdict_reason else ()
    label = Own(f"  {verdict.replace('_', ' ')}  ")
    below = _tests(edited) if edited and relies_on_tests(check) else ()
    return line(check.id, label, check.check, required, *why, tone=_TONES.get(verdict, "warn"), below=below)


def _tests(edited: tuple[str, ...]) -> Iterable[Line]:
    more = (Own(f" and {len(edited) - _NAMED} more"),) if len(edited) > _NAMED else ()
    return fact("tests edited in the run", *joined(edited[:_NAMED], Code), *more, tone="warn")


def _claim(claim: Claim) -> Line:
    return line(claim.text, below=tuple(_statement(stated) for stated in claim.statements))


def _statement(stated: Statement) -> Line:
    label = Own(f"{stated.verdict}: ")
    return line(label, stated.text, Own(": "), stated.verdict_reason, tone=_TONES.get(stated.verdict, "warn"))


def _skipped(check: Verification) -> Line:
    return line(check.id, Own("  "), check.check, Own(": "), check.reason or Own("no reason recorded"), tone="warn")


def _decision(decision: Decision) -> Line:
    below = [
        line(Own("rejected: "), other.option, *((Own(": "), other.reason) if other.reason else ()), tone="dim")
        for other in decision.alternatives
    ]
    return line(decision.option, below=(*fact("based on", *joined(decision.based_on)), *below))


def _handoff(record: RunRecord) -> Iterator[Line]:
    handoff = record.handoff
    if handoff is None:
        return
    yield from fact("status", handoff.status)
    for name, texts in (
        ("blocker", handoff.blockers),
        ("assumption", handoff.assumptions),
        ("risk", handoff.risks),
        ("look twice at", handoff.look_twice),
    ):
        for text in texts:
            yield from fact(name, text, tone="warn" if name == "blocker" else "plain")
    yield from fact("next action", handoff.next_action)
