"""The patterns that are known. A new one is one function and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from agent_otel.review.patterns import ambiguous, aspirational, escalation, stale, unfamiliar
from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting
from agent_otel.review.patterns.stale import Harness

Find = Callable[[Sequence[Observed], "Harness | None"], Iterator[Sighting]]
"""Finds a pattern in runs, the earliest first, and in the harness, where there is a repository to ask."""


class Pattern(NamedTuple):
    """A pattern: what it means, which change usually helps, the layer it points to, and who finds it in runs."""

    means: str
    helps: str
    layer: str
    find: Find


def _by_runs(find: Callable[[Sequence[Observed]], Iterator[Sighting]]) -> Find:
    return lambda runs, _: find(runs)


def _by_harness(runs: Sequence[Observed], harness: Harness | None) -> Iterator[Sighting]:
    return iter(()) if harness is None else stale.stale(runs, harness)


def _by_people(runs: Sequence[Observed], harness: Harness | None) -> Iterator[Sighting]:  # noqa: ARG001 - see Find
    """Nothing: records do not show it."""
    return iter(())


PATTERNS: Final[Mapping[str, Pattern]] = {
    ambiguous.NAME: Pattern(
        means="a task without scope or acceptance, and a sign that it was read otherwise than it was meant",
        helps="a template that asks for both, or a line on what to ask before the first edit",
        layer=ambiguous.LAYER,
        find=_by_runs(ambiguous.ambiguous),
    ),
    unfamiliar.NAME: Pattern(
        means="files of an area were edited, and nothing in that area was read before",
        helps="a map of the area among what is always loaded, or a hook that asks for a read before an edit",
        layer=unfamiliar.LAYER,
        find=_by_runs(unfamiliar.unfamiliar),
    ),
    aspirational.NAME: Pattern(
        means="a rule that says what somebody wished for was taken at its word; people tag it",
        helps="the rule reworded as what is checked, with the case in which it does not hold",
        layer="harness rules",
        find=_by_people,
    ),
    escalation.NAME: Pattern(
        means="what was denied was allowed or done after all, or leave was asked for what nobody ever refuses",
        helps="one rule that decides: allow what is always granted; deny by what a command does, not by its spelling",
        layer=escalation.LAYER,
        find=_by_runs(escalation.escalation),
    ),
    stale.NAME: Pattern(
        means="the contract, rules or context files name paths or symbols that the repository has no more",
        helps="the name corrected, or its sentence deleted; a check in CI that what these files name is there",
        layer=stale.LAYER,
        find=_by_harness,
    ),
}
"""Pattern to what it is, in the order of the layers that it points to."""
