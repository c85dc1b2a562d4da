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
from agent_otel.review.testpaths import relies_on_tests
from agent_otel.review.verified.found import cited
from agent_otel.review.verified.weakened import ChangedTest, recorded_tests, told as change_told
from agent_otel.review.wording import count


class Case(NamedTuple):
    """What there is to know of a check.

    ``told`` is False where the run is known not to have been asked for it, None where nobody knows. ``paths`` are
    those that would make the contract demand it, where this run changed none of them. ``weakened`` are the tests that
    the run took from, where the check relies on tests.
    """

    record: RunRecord
    standing: Standing
    entries: tuple[Verification, ...] = ()
    told: bool | None = True
    paths: tuple[str, ...] = ()
    weakened: tuple[ChangedTest, ...] = ()

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
    def weaker(self) -> str:
        """In words, what became of the tests that it relies on."""
        told = [f"{each.path} ({change_told(each)})" for each in self.weakened[:_NAMED]]
        more = len(self.weakened) - len(told)
        return ", ".join([*told, *([f"{count(more, 'more file')}"] if more else [])])

    @property
    def runs(self) -> tuple[Command, ...]:
        """The commands that the entry rests on."""
        found = self.verification
        cited = (found.command_id, *found.evidence) if found else ()
        return tuple(run for run in self.record.commands if run.id in cited)


Explanation = Callable[[Case], "Answer | None"]
"""Explains a check by the record, or does not apply."""


class Known(NamedTuple):
    """What is known of a run besides its record as it is held to the contract.

    ``recorded`` is what the run itself was told; ``tests`` are those that it changed, by the diff that it left, or None
    where there is none to read.
    """

    recorded: RunRecord
    contract: Contract
    tests: tuple[ChangedTest, ...] | None = None


def cases(held: RunRecord, known: Known) -> Iterator[Case]:
    """The checks of a record that is held to the contract."""
    tests = recorded_tests(held) if known.tests is None else known.tests
    weakened = tuple(change for change in tests if change.weakened)
    commands = {run.id: run for run in held.commands}
    for standing in standings(held):
        demands = [check for check in held.task.required_checks if check.name == standing.check]
        found = tuple(
            each
            for each in held.verifications
            if each.check == standing.check or any(speaks_for(each, check) for check in demands)
        )
        yield Case(
            held,
            standing,
            found,
            told=_told(known.recorded, standing.check, {check.command for check in demands}),
            paths=() if standing.required else paths_of(known.contract, standing.check),
            weakened=weakened if any(relies_on_tests(each, cited(each, commands)) for each in found) else (),
        )


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


_NAMED: Final = 3
"""Tests that are named in a sentence."""

CUT_OFF: Final = ("interrupted", "failed")
"""Outcomes of a run that did not come to its end by itself."""
