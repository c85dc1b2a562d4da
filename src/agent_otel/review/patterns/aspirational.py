"""Aspirational rule: a rule that says what somebody wished for was taken at its word.

No record can tell a wish from a rule, so this pattern is tagged by people, as any other one can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from agent_otel.review.fingerprints.areas import ROOT
from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting, Tag
from agent_otel.text.terminal import printable

NAME: Final = "aspirational-rule"


def tagged(name: str, layer: str, tags: Iterable[Tag], runs: Mapping[str, Observed]) -> Iterator[Sighting]:
    """What people say shows a pattern, once for each page.

    Args:
        name: the pattern.
        layer: the layer that it points to.
        tags: what people said.
        runs: by their ids; they know the area.
    """
    for tag in tags:
        if tag.pattern == name:
            known = (runs[run].ground.main for run in tag.runs if run in runs)
            yield Sighting(
                pattern=name,
                runs=tag.runs,
                said=f"tagged in {printable(tag.where)}: {printable(tag.title)}",
                refs=(tag.where,),
                layer=layer,
                area=next((area for area in known if area != ROOT), ROOT),
            )
