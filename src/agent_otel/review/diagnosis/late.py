"""What came after the handoff: a regression of what had passed, or a result of what the run itself left open."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from agent_otel.review.diagnosis.case import Case
from agent_otel.review.diagnosis.shape import Answer
from agent_otel.review.rules.later import failed_later
from agent_otel.review.standing import Standing, standings

_UNPROVED: Final[dict[str | None, str]] = {
    "stale": "on other files than that left",
    "claimed": "by the agent's word alone",
}
"""Passes that the handoff took for such, and that were no proof of what the run left."""


def regressed(case: Case) -> Answer | None:
    """It passed in the run, and failed after the handoff."""
    ids = {each.id for each in case.entries}
    for _, failed, passed in failed_later(case.record):
        if passed is not None and passed.id in ids:
            refs = (*(each.id for each in failed), passed.id, *case.refs)
            if (how := _UNPROVED.get(passed.verdict)) is not None:
                return Answer("verification", f"it passed in the run {how}, and failed after the handoff", refs)
            if case.weakened:
                why = f"it passed in the run by tests that the run weakened, and failed after it: {case.weaker}"
                return Answer("verification", why, (*refs, *(change.path for change in case.weakened)))
            return Answer("release process", "it passed in the run, and failed after the handoff", refs)
    return None


def of_the_run(case: Case) -> Case | None:
    """The case as the run itself left it, where what decides now was brought later and proves nothing."""
    found = case.verification
    if found is None or found.added is None or found.verdict == "proved":
        return None
    own = tuple(each for each in case.entries if each.added is None)
    record = replace(case.record, verifications=tuple(each for each in case.record.verifications if not each.added))
    stands = next((each for each in standings(record) if each.check == case.name), None)
    standing = Standing(case.name, stands and stands.verification, case.standing.required)
    return case._replace(record=record, standing=standing, entries=own)


def with_late(answer: Answer, case: Case) -> Answer:
    """What explains the check of the run, and what came later."""
    failed = case.standing.verdict == "failed"
    later = "after the handoff it failed" if failed else "what came after the handoff does not prove it"
    return answer._replace(because=f"{answer.because}; {later}", refs=(*case.refs, *answer.refs))
