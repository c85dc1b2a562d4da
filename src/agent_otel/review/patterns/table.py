"""The patterns that are known. A new one is one function and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from agent_otel.review.patterns import aspirational, escalation, unfamiliar
from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting


class Pattern(NamedTuple):
    """A pattern: what it means, which change usually helps, the layer it points to, and who finds it in runs."""

    means: str
    helps: str
    layer: str
    find: Callable[[Sequence[Observed]], Iterator[Sighting]]


def _nobody(_: Sequence[Observed]) -> Iterator[Sighting]:
    """Records show nothing of it; people tag it."""
    return iter(())


PATTERNS: Final[Mapping[str, Pattern]] = {
    unfamiliar.NAME: Pattern(
        means="files of an area were edited, and nothing in that area was read before",
        helps="a map of the area among what is always loaded, or a hook that asks for a read before an edit",
        layer=unfamiliar.LAYER,
        find=unfamiliar.unfamiliar,
    ),
    aspirational.NAME: Pattern(
        means="a rule that says what somebody wished for was taken at its word; people tag it",
        helps="the rule reworded as what is checked, with the case in which it does not hold",
        layer="harness rules",
        find=_nobody,
    ),
    escalation.NAME: Pattern(
        means="what was denied was allowed or done after all, or leave was asked for what nobody ever refuses",
        helps="one rule that decides: allow what is always granted; deny by what a command does, not by its spelling",
        layer=escalation.LAYER,
        find=escalation.escalation,
    ),
}
"""Pattern to what it is, in the order of the layers that it points to."""
