"""Waiting for a record that a processor folds, on a clock of the test's own."""

from __future__ import annotations

from msgspec.structs import replace

from agent_otel.launch.waiting import final_record
from agent_otel.model.record import RunRecord

OPEN = RunRecord(run_id="r1", lifecycle="open", outcome="unknown")
FIRST = RunRecord(run_id="r1", lifecycle="settled", outcome="ended", revision=2)
LAST = replace(FIRST, revision=3)


class Clock:
    """Goes on when somebody sleeps."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Passes time."""
        self.now += seconds


def wait(*, known: dict[float, RunRecord], timeout_s: float = 10.0) -> tuple[RunRecord | None, float]:
    """What is found, and when, where each record of ``known`` is there from a time on."""
    clock = Clock()

    def ask() -> RunRecord | None:
        return next((record for since, record in sorted(known.items(), reverse=True) if clock.now >= since), None)

    found = final_record(ask, timeout_s=timeout_s, still_s=2.0, clock=clock, sleep=clock.sleep)
    return found, round(clock.now, 1)


def test_a_record_that_stays_as_it_is_is_final():
    """It is taken when it has not changed for a while."""
    assert wait(known={0.0: FIRST}) == (FIRST, 2.0)


def test_a_record_that_changes_is_waited_for():
    """The agent's telemetry may be folded after ours."""
    found, when = wait(known={0.0: OPEN, 1.0: FIRST, 2.0: LAST})
    assert found == LAST
    assert 4.0 <= when <= 4.2


def test_time_runs_out():
    """Then what there is is taken: nothing, or a run that has not ended."""
    assert wait(known={}, timeout_s=3.0) == (None, 3.0)
    assert wait(known={1.0: OPEN}, timeout_s=3.0) == (OPEN, 3.0)
