"""Where each check stands at the end of a run: of all its verifications, the one that counts."""

from __future__ import annotations

import fnmatch
from typing import Final, NamedTuple

from agent_otel.model.record import Check, RunRecord, Verdict, Verification


class Standing(NamedTuple):
    """A check, the verification that counts for it, and whether it must pass.

    The verification is ``None`` where the record has none of a required check.
    """

    check: str
    verification: Verification | None
    required: bool

    @property
    def verdict(self) -> Verdict:
        """The verdict on the check; a check nothing speaks of did not run."""
        return (self.verification and self.verification.verdict) or "not_run"

    @property
    def refs(self) -> tuple[str, ...]:
        """What a finding on this check refers to: the verification, or the check's name where there is none."""
        return (self.verification.id if self.verification else self.check,)


def standings(record: RunRecord) -> tuple[Standing, ...]:
    """Where each check stands: what the contract requires first, in its order, then what else was verified.

    A verification speaks for a required check by its name, or by its command: the contract's pattern says which
    commands are the check, whatever the run called it. The last verification counts, except that a claim or a skip does
    not undo what a run decided before it: a check that is proved stays proved, and one that failed stays failed until
    it runs again.

    What was added later counts beside that, whatever its order: a failure stands against every pass, the run's own and
    those of others; a pass takes the place of whatever did not fail, or failed on another tree than the run left.
    """
    checks = record.task.required_checks
    tree = record.final.tree
    required = {check.name: [each for each in record.verifications if speaks_for(each, check)] for check in checks}
    others: dict[str, list[Verification]] = {}
    for verification in record.verifications:
        if not any(speaks_for(verification, check) for check in checks):
            others.setdefault(verification.check, []).append(verification)
    return (
        *(Standing(name, _counts(found, tree) if found else None, required=True) for name, found in required.items()),
        *(Standing(name, _counts(found, tree), any(each.required for each in found)) for name, found in others.items()),
    )


def speaks_for(verification: Verification, check: Check) -> bool:
    """True when the verification is one of this required check."""
    if verification.check == check.name:
        return True
    return bool(check.command and verification.command) and fnmatch.fnmatchcase(
        verification.command or "", check.command or ""
    )


def _counts(found: list[Verification], tree: str | None) -> Verification:
    own, late = [each for each in found if each.added is None], [each for each in found if each.added is not None]
    if not late:
        return counting(own)
    best = max(late, key=lambda each: _WEIGHT.get(each.verdict, 0))
    if not own or best.verdict == "failed":
        return best
    decided = counting(own)
    if best.verdict == "proved":
        return decided if decided.verdict in _BAD and not _elsewhere(decided, tree) else best
    return best if decided.verdict == "not_run" else decided


_WEIGHT: Final[dict[Verdict | None, int]] = {"failed": 5, "proved": 4, "stale": 3, "unverifiable": 2, "claimed": 1}
"""What of the evidence from elsewhere counts: the heaviest, and of equals the first."""

_BAD: Final = ("failed", "contradicted")


def _elsewhere(failed: Verification, tree: str | None) -> bool:
    """True where a check is known to have failed on another tree than the run left."""
    return failed.tree is not None and tree is not None and failed.tree != tree


def counting(found: list[Verification]) -> Verification:
    """Of the run's own verifications of a check, at least one, the one that counts."""
    for verification in reversed(found):
        if verification.verdict in ("proved", "failed", "contradicted"):
            return verification
        if verification.verdict in ("stale", "unverifiable"):
            break  # it ran again since, and that run decides nothing
    return found[-1]
