"""What a record says of its own completeness."""

from __future__ import annotations

import pytest

from agent_otel.compaction.passes.capture import capture_of
from agent_otel.compaction.passes.lifecycle import Life
from agent_otel.compaction.runs import Run
from agent_otel.model import limits, names
from agent_otel.model.fact import LimitNoticed, RunFinished
from agent_otel.model.item import Log

LIFE = Life("settled", "ended", 1, 2, 2, root_seen=True)
NOTICED = tuple(
    LimitNoticed(ref="", time_ns=1, limit=limit) for limit in (limits.SHELL_EDITS_UNSEEN, limits.COSTS_UNTOLD)
)


@pytest.mark.parametrize(
    ("changed_total", "expected"),
    [
        (None, (limits.COSTS_UNTOLD, limits.SHELL_EDITS_UNSEEN)),
        (0, (limits.COSTS_UNTOLD,)),
        (3, (limits.COSTS_UNTOLD,)),
    ],
)
def test_a_final_diff_shows_what_tools_do_not(changed_total, expected):
    """Who launched an agent saw which files it left changed, whatever changed them."""
    finished = RunFinished(ref="", time_ns=2, changed_total=changed_total)
    run = Run(run_id="r1", facts={LimitNoticed: NOTICED, RunFinished: (finished,)})
    assert capture_of(run, LIFE).limits == expected


@pytest.mark.parametrize(
    ("scope", "said", "expected"),
    [("some.agent", 2, 2), ("some.agent", "x", 0), ("some.agent", None, 0), ("agent_otel", 2, 0)],
)
def test_secrets_masked_on_arrival_are_counted(scope, said, expected):
    """In what others sent; our own items say so in facts."""
    attributes = {} if said is None else {names.REDACTIONS: said}
    run = Run(run_id="r1", logs=(Log(key="k", time_ns=1, scope=scope, attributes=attributes),))
    assert capture_of(run, LIFE).redactions == expected
