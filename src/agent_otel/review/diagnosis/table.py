"""Every explanation of a check, in the order in which they are asked. A new one is one function and one entry here."""

from __future__ import annotations

from typing import Final

from agent_otel.model.record import Verdict
from agent_otel.review.diagnosis import demand, failed, late, skipped, weak
from agent_otel.review.diagnosis.case import Case, Explanation
from agent_otel.review.diagnosis.shape import Answer


def _brought_later(case: Case) -> Answer | None:
    """What came later proves nothing: then it is explained by what the run itself left."""
    own = late.of_the_run(case)
    return None if own is None else late.with_late(explanation(own), case)


_FIRST: Final[tuple[Explanation, ...]] = (demand.open_run, late.regressed, _brought_later, demand.unrequired)

_BY_VERDICT: Final[dict[Verdict, tuple[Explanation, ...]]] = {
    "proved": (weak.weakened, demand.passed),
    "failed": (
        failed.no_program, failed.no_service, failed.timed_out, failed.unseen, failed.outdated, failed.on_final,
        failed.somewhere,
    ),
    "not_run": skipped.SKIPPED,
    "stale": (weak.stale,),
    "contradicted": (weak.contradicted,),
    "claimed": (weak.claimed,),
    "unverifiable": (weak.unverifiable,),
}  # fmt: skip
"""The last one of each verdict always applies."""


def explanation(case: Case) -> Answer:
    """Where the fix of a check belongs: the first explanation that applies."""
    explanations = (*_FIRST, *_BY_VERDICT[case.standing.verdict])
    return next(answer for explain in explanations if (answer := explain(case)) is not None)
