"""Waits for a record that somebody else folds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from agent_otel.model.record import RunRecord

STILL_S: Final = 2.0
"""A record that has not changed for so long has in it what came by then: a processor folds after one second."""

_LOOK_S: Final = 0.1


def final_record(
    ask: Callable[[], RunRecord | None],
    *,
    timeout_s: float,
    still_s: float = STILL_S,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> RunRecord | None:
    """The record of a run that is over, once it says so and has stopped changing; what there is where time runs out.

    Args:
        ask: gives the record as it is now.
        timeout_s: how long to wait at most.
        still_s: how long it has to stay as it is.
        clock: seconds that only grow.
        sleep: passes some of them.
    """
    began = since = clock()
    found = ask()
    while (now := clock()) - began < timeout_s:
        if found is not None and found.lifecycle == "settled" and now - since >= still_s:
            break
        sleep(_LOOK_S)
        latest = ask()
        if latest != found:
            found, since = latest, clock()
    return found
