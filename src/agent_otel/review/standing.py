"""Where each check stands at the end of a run: of all its verifications, the one that counts."""

from __future__ import annotations

from typing import NamedTuple

from agent_otel.model.record import RunRecord, Verdict, Verification


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
    """Where each check stands, in the order the record first names them.

    The last verification of a check counts, except that a claim or a skip does not undo what a run decided before it: a
    check that is proved stays proved, and one that failed stays failed until it runs again.
    """
    required = {check.name for check in record.task.required_checks}
    entries: dict[str, list[Verification]] = {}
    for verification in record.verifications:
        entries.setdefault(verification.check, []).append(verification)
        if verification.required:
            required.add(verification.check)
    missing = [check.name for check in record.task.required_checks if check.name not in entries]
    return (
        *(Standing(check, _counts(found), check in required) for check, found in entries.items()),
        *(Standing(check, None, required=True) for check in dict.fromkeys(missing)),
    )


def _counts(found: list[Verification]) -> Verification:
    for verification in reversed(found):
        if verification.verdict in ("proved", "failed", "contradicted"):
            return verification
        if verification.verdict in ("stale", "unverifiable"):
            break  # it ran again since, and that run decides nothing
    return found[-1]
