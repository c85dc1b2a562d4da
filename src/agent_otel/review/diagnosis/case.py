"""A check whose fix is looked for: where it stands, what speaks for it, and whether the run knew of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from agent_otel.model import names
from agent_otel.model.contract import Contract
from agent_otel.model.record import Command, RunRecord, Verification
from agent_otel.review.diagnosis.shape import Answer
from agent_otel.review.gaps import losses
from agent_otel.review.standing import Standing, speaks_for, standings


class Case(NamedTuple):
    """What there is to know of a check.

    ``told`` is False where the run is known not to have been asked for it, None where nobody knows. ``paths`` are
    those that would make the contract demand it, where this run changed none of them.
    """

    record: RunRecord
    standing: Standing
    entries: tuple[Verification, ...] = ()
    told: bool | None = True
    paths: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The check."""
        return self.standing.check

    @property
    def verification(self) -> Verification | None:
        """The entry that counts."""
        return self.standing.verification

    @property
    def refs(self) -> tuple[str, ...]:
        """The entry that counts, and the commands that it rests on."""
        return (*self.standing.refs, *(run.id for run in self.runs))

    @property
    def runs(self) -> tuple[Command, ...]:
        """The commands that the entry rests on."""
        found = self.verification
        cited = (found.command_id, *found.evidence) if found else ()
        return tuple(run for run in self.record.commands if run.id in cited)


Explanation = Callable[[Case], "Answer | None"]
"""Explains a check by the record, or does not apply."""


def cases(held: RunRecord, recorded: RunRecord, contract: Contract) -> Iterator[Case]:
    """The checks of a record that is held to the contract; ``recorded`` is what its run itself was told."""
    for standing in standings(held):
        demands = [check for check in held.task.required_checks if check.name == standing.check]
        found = (
            each
            for each in held.verifications
            if each.check == standing.check or any(speaks_for(each, check) for check in demands)
        )
        told = _told(recorded, standing.check, {check.command for check in demands})
        paths = () if standing.required else paths_of(contract, standing.check)
        yield Case(held, standing, tuple(found), told=told, paths=paths)


def paths_of(contract: Contract, name: str) -> tuple[str, ...]:
    """The paths by which the contract demands a check of this name."""
    return tuple(path for check in contract.required_checks if check.name == name for path in check.paths)


def lacking(record: RunRecord, limits: frozenset[str]) -> tuple[str, ...]:
    """What the capture lost, and which of ``limits`` it names."""
    lost = losses(record) or ([] if record.capture.complete else ["a part of the telemetry; which was not recorded"])
    return (*lost, *(limit for limit in record.capture.limits if limit in limits))


def _told(recorded: RunRecord, name: str, commands: set[str | None]) -> bool | None:
    """Whether this is among what the run says that it was asked for; None where it does not say.

    A run of the SDK says it; of others a harness may have. A command that is demanded is told by any name.
    """
    own = recorded.task.required_checks
    if not own and recorded.agent.dialect != names.SCOPE:
        return None
    return any(check.name == name or (check.command and check.command in commands) for check in own)


CUT_OFF: Final = ("interrupted", "failed")
"""Outcomes of a run that did not come to its end by itself."""
