"""Rules about results that came after the handoff, from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent_otel.model.record import RunRecord, Verification
from agent_otel.review.rules.base import Notice
from agent_otel.review.standing import counting, speaks_for, standings
from agent_otel.review.wording import count

_ACCEPTED: Final = ("proved", "stale", "claimed", "unverifiable")
"""Verdicts on a pass that nothing in the run spoke against."""


_UNPROVED: Final[dict[str | None, str]] = {"stale": " on an older tree", "claimed": " by word alone"}
"""What a pass was that the handoff took for one, and that was no proof of what the run left."""


def post_handoff_regression(record: RunRecord) -> Iterator[Notice]:
    """A check that passed in the run, and failed after it; what proved nothing then is a matter of verification."""
    for check, failed, passed in failed_later(record):
        if passed is not None:
            refs = (*(each.id for each in failed), passed.id)
            how = _UNPROVED.get(passed.verdict)
            yield Notice(
                f"{check!r} passed in the run{how or ''} and failed after the handoff:"
                f" {_told(failed)}{_flaky(record, check)}",
                refs,
                layer="verification" if how else None,
            )


def failing_late_check(record: RunRecord) -> Iterator[Notice]:
    """A failure that only came to light after the handoff; of a required check another rule speaks."""
    required = {each.check for each in standings(record) if each.required}
    for check, failed, passed in failed_later(record):
        if passed is None and check not in required:
            yield Notice(
                f"{check!r} failed after the handoff: {_told(failed)}{_flaky(record, check)}",
                tuple(each.id for each in failed),
            )


def failed_later(record: RunRecord) -> Iterator[tuple[str, list[Verification], Verification | None]]:
    """Each check with failures that were added, and the run's own last pass of it, unless something spoke against."""
    failed: dict[str, list[Verification]] = {}
    for each in record.verifications:
        if each.added is not None and each.verdict == "failed":
            failed.setdefault(each.check, []).append(each)
    for check, found in failed.items():
        required = [each for each in record.task.required_checks if each.name == check]
        own = [
            each
            for each in record.verifications
            if each.added is None and (each.check == check or any(speaks_for(each, demanded) for demanded in required))
        ]
        last = counting(own) if own else None
        yield check, found, last if last and last.outcome == "pass" and last.verdict in _ACCEPTED else None


def _told(failed: list[Verification]) -> str:
    more = f" (and {count(len(failed) - 1, 'more failure')} of it)" if len(failed) > 1 else ""
    return f"{failed[0].verdict_reason}{more}"


def _flaky(record: RunRecord, check: str) -> str:
    """That the same check passed elsewhere on the same state: neither result undoes the other."""
    passed = any(each.added and each.check == check and each.verdict == "proved" for each in record.verifications)
    return "; it passed in another run on the same state: it may be flaky" if passed else ""
