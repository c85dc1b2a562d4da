"""Post-mortems that point to the same place: candidates for one change instead of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from agent_otel.review.fingerprints.areas import ROOT
from agent_otel.review.quarter.shape import Group, PageRow, Point


def groups(pages: Sequence[PageRow]) -> tuple[Group, ...]:
    """The groups of two pages or more, the largest first.

    Of groups of the very same pages one is told: the first whose area is known.
    """
    pointing: dict[Point, list[PageRow]] = defaultdict(list)
    for page in pages:
        for point in page.points:
            pointing[point].append(page)
    told: dict[tuple[str, ...], Group] = {}
    for point in sorted(pointing, key=lambda point: (point.area == ROOT, point)):
        together = pointing[point]
        files = tuple(page.file for page in together)
        if len(together) > 1:
            told.setdefault(files, _group(point, together, files))
    return tuple(sorted(told.values(), key=lambda group: (-len(group.pages), group.layer, group.area)))


def _group(point: Point, pages: Sequence[PageRow], files: tuple[str, ...]) -> Group:
    changed = sorted({change.file for page in pages for change in page.changes if change.file})
    return Group(layer=point.layer, area=point.area, pages=files, changes=tuple(changed))
