"""What the agent said: decisions, claims, risks, and the handoff."""

from __future__ import annotations

from agent_otel.compaction.runs import Run
from agent_otel.model.fact import Claimed, DecisionMade, HandoffWritten, RiskNoted
from agent_otel.model.record import Alternative, Claim, Decision, Handoff


def decisions_of(run: Run) -> tuple[Decision, ...]:
    """The decisions in order."""
    return tuple(
        Decision(
            option=fact.option,
            alternatives=tuple(Alternative(option=option, reason=why or None) for option, why in fact.alternatives),
            based_on=fact.based_on,
            source="agent" if fact.stated else "inferred",
            span=fact.ref or None,
            missing=fact.missing,
        )
        for fact in run.all(DecisionMade)
    )


def claims_of(run: Run) -> tuple[Claim, ...]:
    """The agent's last words, each once."""
    words = {fact.text: fact for fact in reversed(run.all(Claimed))}
    return tuple(Claim(text=fact.text, span=fact.ref or None) for fact in reversed(words.values()))


def handoff_of(run: Run) -> Handoff | None:
    """The last handoff; a run may think again."""
    written = run.all(HandoffWritten)
    if not written:
        return None
    fact = written[-1]
    return Handoff(
        status=fact.status or None,
        blockers=fact.blockers,
        next_action=fact.next_action or None,
        assumptions=fact.assumptions,
        risks=fact.risks,
        look_twice=fact.look_twice,
        span=fact.ref or None,
        missing=fact.missing,
    )


def risks_of(run: Run, handoff: Handoff | None) -> tuple[str, ...]:
    """The open risks, those of the handoff included, each once."""
    noted = [fact.text for fact in run.all(RiskNoted)] + list(handoff.risks if handoff else ())
    return tuple(dict.fromkeys(noted))
