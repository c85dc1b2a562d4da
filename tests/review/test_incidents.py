"""Incidents: what of many runs deserves a post-mortem, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from agent_otel.model.contract import Incidents
from agent_otel.model.record import (
    Base,
    ChangedFile,
    Command,
    Failure,
    Finding,
    NearMiss,
    ReviewState,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.review.audit import Audit
from agent_otel.review.incidents.case import case
from agent_otel.review.incidents.find import incidents, trigger_of
from agent_otel.review.incidents.shape import Incident, stamp
from agent_otel.review.incidents.waste import Waste, wasted

START = datetime(2026, 5, 4, 9, tzinfo=timezone.utc)
LIMITS = Incidents()


def _run(
    run_id: str, *, hours: float = 0, lasted: float = 0.5, state: ReviewState = "failing", **fields: object
) -> RunRecord:
    whole: dict[str, object] = {
        "run_id": run_id,
        "lifecycle": "settled",
        "outcome": "ended",
        "started": stamp(START + timedelta(hours=hours)),
        "ended": stamp(START + timedelta(hours=hours + lasted)),
        "task": Task(objective=f"Task of {run_id}"),
        "base": Base(repository="app", branch="main"),
        "review_state": state,
    }
    return RunRecord(**(whole | fields))  # type: ignore[arg-type]  # fields of a record


def _found(*records: RunRecord, limits: Incidents = LIMITS) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.trigger, each.runs) for each in _incidents(*records, limits=limits)]


def _incidents(*records: RunRecord, limits: Incidents = LIMITS) -> tuple[Incident, ...]:
    return incidents([Audit(record) for record in records], limits)


def _finding(fingerprint: str = "x:-:.:-", **fields: object) -> Finding:
    whole: dict[str, object] = {"rule": "off-limits", "severity": "error", "message": "m", "fingerprint": fingerprint}
    return Finding(**(whole | fields))  # type: ignore[arg-type]


TASK = Task(objective="Fix  the Guard")
SAME = Task(objective="fix the guard")
FILES = (ChangedFile(path="src/a.py", operation="edit"), ChangedFile(path="src/b.py", operation="edit"))
NO_WORDS = Task()
OTHER_FILES = (ChangedFile(path="src/c.py", operation="edit"),)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((_run("a", task=TASK), _run("b", hours=2, state="done", task=SAME)), [("redo", ("a", "b"))]),
        ((_run("a", task=TASK), _run("b", hours=0.2, lasted=0.5, state="done", task=SAME)), []),
        ((_run("a", task=TASK), _run("b", hours=2, state="done", task=Task(objective="x"))), []),
        ((_run("a", task=TASK, state="done"), _run("b", hours=2, task=SAME)), []),
        ((_run("a", task=TASK), _run("b", hours=24 * 15, state="done", task=SAME)), []),
        ((_run("a", task=TASK), _run("b", hours=2, state="incomplete", task=SAME)), []),
        (
            (
                _run("a", task=TASK),
                _run("b", hours=2, state="incomplete", task=SAME),
                _run("c", hours=3, task=SAME),
                _run("d", hours=4, state="incomplete", task=SAME),
            ),
            [("redo", ("a", "b", "c"))],
        ),
        ((_run("a", task=TASK),), []),
        (
            (
                _run("a", task=TASK, state="incomplete", lifecycle="abandoned"),
                _run("b", hours=1, task=SAME, outcome="failed"),
                _run("c", hours=3, state="done", task=SAME),
                _run("d", hours=9, state="done", task=SAME),
            ),
            [("redo", ("a", "b", "c"))],
        ),
        ((_run("a", task=TASK), _run("b", hours=2, state="done", task=SAME, parent_run="a")), []),
        ((_run("a", task=TASK), _run("b", hours=2, state="in progress", task=SAME, lifecycle="open")), []),
        ((_run("a", task=TASK), _run("b", state="done", task=SAME, started=None)), []),
        ((_run("a", task=TASK), _run("b", state="done", task=SAME, base=Base(repository="other"))), []),
        (
            (
                _run("a", base=Base(repository="app", branch="fix/guard")),
                _run("b", hours=2, state="done", base=Base(repository="app", branch="fix/guard")),
            ),
            [("redo", ("a", "b"))],
        ),
        (
            (
                _run("a", task=NO_WORDS, changed_files=FILES),
                _run("b", hours=2, state="done", task=NO_WORDS, changed_files=FILES),
            ),
            [("redo", ("a", "b"))],
        ),
        (
            (
                _run("a", task=NO_WORDS, changed_files=FILES),
                _run("b", hours=2, state="done", task=NO_WORDS, changed_files=(*OTHER_FILES, FILES[0])),
            ),
            [],
        ),
        ((_run("a", changed_files=FILES), _run("b", hours=2, state="done", changed_files=FILES)), []),
    ],
)
def test_a_redo_of_an_hour(records: tuple[RunRecord, ...], expected: list[tuple[str, tuple[str, ...]]]) -> None:
    """Attempts are linked by task, branch, or files where no words tell; a first failure starts the clock."""
    assert _found(*records) == expected
    assert _found(*reversed(records)) == expected


def test_a_redo_says_what_it_cost() -> None:
    """From the start of the first failed attempt to the end of the accepted one."""
    failing = _run("a", task=TASK, findings=(_finding(),))
    (found,) = _incidents(failing, _run("b", hours=2, state="done", task=SAME))
    assert found.cost_s == 2.5 * 3600
    assert found.why == "one task took 2 attempts over 2 h 30 min until one was accepted"
    assert found.fingerprints == ("x:-:.:-",)
    (found,) = _incidents(_run("a", task=TASK), _run("b", hours=2, task=SAME))
    assert found.why == "one task took 2 attempts over 2 h 30 min and none is accepted yet"


@pytest.mark.parametrize(
    ("days", "limits", "expected"),
    [
        ((0, 13), LIMITS, [(0, 1)]),
        ((0, 15), LIMITS, []),
        ((0, 10, 20), LIMITS, [(0, 1, 2)]),
        ((0, 1, 30, 31), LIMITS, [(2, 3), (0, 1)]),
        ((0, 10, 20), Incidents(recurrence=3), []),
        ((0, 10, 20), Incidents(recurrence=3, window_days=20), [(0, 1, 2)]),
        ((0,), LIMITS, []),
    ],
)
def test_the_same_failure_twice_in_two_weeks(
    days: tuple[int, ...], limits: Incidents, expected: list[tuple[int, ...]]
) -> None:
    """Rows of runs that lie close enough; the contract says how many and how close."""
    records = [_run(str(place), hours=24 * day, findings=(_finding(),)) for place, day in enumerate(days)]
    assert _found(*records, limits=limits) == [("recurrence", tuple(map(str, runs))) for runs in expected]


def test_what_of_a_run_counts_as_a_failure() -> None:
    """Errors, and what nothing overcame of checks or of the run itself; not warnings, nor a listing that failed."""
    record = _run(
        "a",
        commands=(Command(id="c1", command="pytest", result="failed"), Command(id="c2", command="ls", result="failed")),
        verifications=(Verification(id="v1", check="unit", outcome="fail", command_id="c1"),),
        failures=(
            Failure(id="f1", command="pytest", command_id="c1"),
            Failure(id="f2", command="ls", command_id="c2"),
            Failure(id="f3", error="context length"),
            Failure(id="f4", tool="read_file"),
        ),
        findings=(
            _finding("error"),
            _finding("error", message="again"),
            _finding("warning", severity="warning"),
            _finding("", rule="off-limits"),
            *(
                _finding(f"of-{ref}", rule="failure-not-resolved", severity="warning", refs=(ref,))
                for ref in ("f1", "f2", "f3", "f4")
            ),
        ),
    )
    found = case(Audit(record))
    assert found is not None
    assert found.fingerprints == {"error": "m", "of-f1": "m", "of-f3": "m"}


def test_failures_of_the_same_runs_are_one_incident() -> None:
    """One cause shows in several findings, and parts of a run are no runs of their own."""
    both = (_finding("one"), _finding("two"))
    (found,) = _incidents(_run("a", findings=both), _run("b", hours=30, findings=both))
    assert found.fingerprints == ("one", "two")
    assert found.why == "the same failure in 2 runs within 2 days: m"
    assert _found(_run("a", findings=both), _run("b", hours=1, findings=both, parent_run="a")) == []


@pytest.mark.parametrize("rule", ["failing-late-check", "post-handoff-regression"])
def test_what_came_to_light_after_the_handoff_counts(rule: str) -> None:
    """Whatever it weighs in an audit: its run looked accepted, and its task is not done."""
    late = {"state": "done", "task": TASK, "findings": (_finding("late", rule=rule, severity="warning"),)}
    assert _found(_run("a", **late), _run("b", hours=2, state="done", task=SAME)) == [("redo", ("a", "b"))]
    assert _found(_run("a", **late), _run("b", hours=30, **late | {"task": NO_WORDS})) == [("recurrence", ("a", "b"))]


def _commands(*lines: tuple[str, str, float]) -> tuple[Command, ...]:
    return tuple(
        Command(
            id=f"c{place}",
            command=line,
            result=result,  # type: ignore[arg-type]  # words of the table
            started=stamp(START + timedelta(minutes=minute)),
            duration_s=60.0,
        )
        for place, (line, result, minute) in enumerate(lines)
    )


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ((), Waste()),
        ((("git reset --hard HEAD", "passed", 90),), Waste(5400.0, 1)),
        ((("git checkout -- .", "failed", 90),), Waste()),
        ((("git checkout -- src/a.py", "passed", 90),), Waste()),
        ((("git commit -m x", "passed", 60), ("git restore .", "passed", 90)), Waste(1800.0, 1)),
        ((("git clean -fd", "passed", 0),), Waste()),
        ((("git clean -fd", "passed", 30), ("git -C x reset -q --hard", "passed", 50)), Waste(3000.0, 2)),
        ((("pytest", "failed", 10), ("pytest", "failed", 20)), Waste()),
        ((("pytest", "failed", 10), ("pytest", "denied", 15), ("pytest", "failed", 20), ("pytest", "timed_out", 70)),
         Waste(61 * 60.0, 0, "pytest")),
        ((("pytest", "failed", 10), ("pytest", "passed", 20), ("pytest", "failed", 30), ("pytest", "failed", 40)),
         Waste()),
        ((*(("a", "failed", m) for m in (10, 20, 30)), ("a", "passed", 35), ("git reset --hard", "passed", 20),
          *(("b", "failed", m) for m in (15, 16, 17))), Waste(31 * 60.0, 1, "a")),
    ],
)  # fmt: skip
def test_time_that_a_run_lost(commands: tuple[tuple[str, str, float], ...], expected: Waste) -> None:
    """Since the last commit where all work is thrown away, and while one command fails over and over; each once."""
    assert wasted(_run("a", commands=_commands(*commands))) == expected


def test_times_that_are_not_known_count_nothing() -> None:
    """No start, no time, no zone."""
    rollback = Command(id="c1", command="git reset --hard", result="passed", started=stamp(START))
    timeless = Command(id="c2", command="git reset --hard", result="passed")
    assert wasted(_run("a", commands=(rollback, timeless), started=None)) == Waste(0.0, 0)
    assert wasted(_run("a", commands=(timeless,), started="2026-05-04T09:00:00")) == Waste()


def test_a_run_that_lost_an_hour_is_an_incident() -> None:
    """Whatever became of it in the end."""
    lines = (*(("pytest", "failed", m) for m in (0, 30, 60)), ("git reset --hard", "passed", 61))
    (found,) = _incidents(_run("a", state="done", commands=_commands(*lines)))
    assert found.trigger == "redo"
    lost = "1 h 01 min were lost inside of one run"
    assert found.why == f"{lost}: its work was rolled back 1 time, 'pytest' failed over and over"
    (found,) = _incidents(_run("a", state="done", commands=_commands(*lines[-1:])))
    assert found.why == f"{lost}: its work was rolled back 1 time"
    (found,) = _incidents(_run("a", state="done", commands=_commands(*lines[:-1])))
    assert found.why == f"{lost}: 'pytest' failed over and over"


def test_what_a_redo_cost_is_told_once() -> None:
    """With what its attempts lost by themselves."""
    lost = _run("a", task=TASK, lasted=2, commands=_commands(("git reset --hard", "passed", 110)))
    assert _found(lost) == [("redo", ("a",))]
    assert _found(lost, _run("b", hours=3, task=SAME, state="done")) == [("redo", ("a", "b"))]


def _marked(what: str = "no limit", *, by: str = "ada", at: str | None = None) -> NearMiss:
    return NearMiss(id=what, caught_by=by, what=what, at=at)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("2026-05-04T09:00:00.000Z", "2026-05-04T09:30:00.000Z")),
        ({"lifecycle": "open", "ended": None}, ("2026-05-04T09:00:00.000Z", "2026-05-04T09:00:00.000Z")),
        ({"parent_run": "whole"}, ("2026-05-04T09:00:00.000Z", "2026-05-04T09:30:00.000Z")),
        ({"started": None, "ended": None}, ("2026-05-05T00:00:00.000Z", "2026-05-05T00:00:00.000Z")),
    ],
)
def test_what_only_a_reviewer_caught(fields: dict[str, object], expected: tuple[str, str]) -> None:
    """A marked run is an incident: accepted or not, over or not, the part of another or not."""
    record = _run("a", state="done", near_misses=(_marked(at="2026-05-05T00:00:00.000Z"),), **fields)
    (found,) = _incidents(record)
    assert (found.trigger, found.why, found.runs) == ("near-miss", "only ada caught it: no limit", ("a",))
    assert (found.started, found.ended) == expected


def test_of_several_near_misses_of_a_run_the_first_is_told() -> None:
    """They are one incident, and one page."""
    (found,) = _incidents(_run("a", state="done", near_misses=(_marked(), _marked("x"), _marked("y"))))
    assert found.why == "only ada caught it: no limit; and 2 more"


def test_a_mark_without_any_time_is_no_incident() -> None:
    """Nobody could say whether it was lately."""
    assert _found(_run("a", started=None, ended=None, near_misses=(_marked(),))) == []


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((_run("a", state="done"),), "redo"),
        ((_run("a"), _run("b", hours=2, state="done")), "redo"),
        ((_run("a", findings=(_finding(),)), _run("b", hours=2, findings=(_finding(),))), "recurrence"),
        (
            (
                _run("a", task=TASK, findings=(_finding(),)),
                _run("b", hours=2, state="done", task=SAME, findings=(_finding(),)),
            ),
            "redo",
        ),
        ((_run("a", task=TASK), _run("b", hours=2, task=SAME, near_misses=(_marked(),))), "near-miss"),
    ],
)
def test_the_records_tell_why_a_page_is_written(records: tuple[RunRecord, ...], expected: str) -> None:
    """What a human marked first, then what it cost, then that it came back."""
    assert trigger_of(map(Audit, records), LIMITS) == expected


OLD = {"hours": 24 * 40, "state": "done"}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((_run("a"), _run("b", **OLD, redo_of=("a",))), [("redo", ("a", "b"))]),
        ((_run("a", state="done"), _run("b", **OLD, redo_of=("a",))), [("redo", ("a", "b"))]),
        ((_run("a", state="done"), _run("b", hours=0.2, lasted=0.1, state="done", redo_of=("a",))), []),
        ((_run("a"), _run("b", hours=2, state="incomplete", redo_of=("a",))), [("redo", ("a", "b"))]),
        ((_run("b", **OLD, redo_of=("a",)),), []),
        ((_run("b", redo_of=("a",)), _run("c", **OLD, redo_of=("a",))), [("redo", ("b", "c"))]),
        (
            (_run("a"), _run("b", hours=3, redo_of=("a",)), _run("c", hours=9, state="done", redo_of=("b",))),
            [("redo", ("a", "b", "c"))],
        ),
        (
            (
                _run("a", task=TASK),
                _run("b", hours=2, state="done", task=SAME),
                _run("c", hours=9, state="done", redo_of=("b",)),
            ),
            [("redo", ("a", "b", "c"))],
        ),
        (
            (
                _run("a"),
                _run("b", hours=2),
                _run("c", hours=9, state="done", redo_of=("a", "b")),
            ),
            [("redo", ("a", "b", "c"))],
        ),
        (
            (_run("a", redo_of=("b",)), _run("b", hours=2, redo_of=("a",), state="done")),
            [("redo", ("a", "b"))],
        ),
        ((_run("a", redo_of=("a",)),), []),
        (
            (
                _run("a"),
                _run("a/part", hours=0.1, parent_run="a", state="done"),
                _run("b", **OLD),
                _run("b/part", hours=24 * 40, parent_run="b", redo_of=("a/part",)),
            ),
            [("redo", ("a", "b"))],
        ),
        ((_run("a", task=TASK), _run("b", hours=2, task=SAME, redo_of=("x",), state="done")), [("redo", ("a", "b"))]),
    ],
)
def test_runs_that_somebody_linked_are_attempts_at_one_task(
    records: tuple[RunRecord, ...], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    """However far apart, whatever their words, over chains, circles, parts and runs that never arrived."""
    assert _found(*records) == expected
    assert _found(*reversed(records)) == expected


def test_very_long_chains_and_circles_end() -> None:
    """One incident, in no time."""
    many = 3000
    runs = [_run(f"r{n:05}", hours=n / 10, redo_of=(f"r{(n + 1) % many:05}",)) for n in range(many)]
    (found,) = _incidents(*runs)
    assert len(found.runs) == many


@given(st.permutations(range(12)))
def test_the_order_of_the_runs_does_not_matter(order: list[int]) -> None:
    """Stores list runs in any order."""
    runs = [
        _run(str(n), hours=7 * n, task=Task(objective=str(n % 3)), findings=(_finding(str(n % 4)),)) for n in range(12)
    ]
    assert _incidents(*(runs[place] for place in order)) == _incidents(*runs)
