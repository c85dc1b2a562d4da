"""Runs recorded in memory: fixed, apart from everything global, and the same as over the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from opentelemetry import trace

import agent_otel
from agent_otel.compaction.policy import Policy
from agent_otel.errors import SettingsError
from agent_otel.model.record import encode
from agent_otel.sdk import state
from agent_otel.service.fold import fold_groups
from agent_otel.testing import EPOCH_NS, Recorded, fixed_clock, record_runs


def story() -> Recorded:
    """A run with a bit of everything that takes no real time."""

    @agent_otel.tool(reads="path", reason="why")
    def read_file(path: str, why: str) -> str:
        return f"content of {path}"

    with record_runs(git=False) as recorded:
        with agent_otel.run(
            "Fix it", agent="lead", scope=["src/**"], exclusions=["dashboard"], budgets={"steps": 1}
        ) as run:
            read_file("src/a.py", "it fails here")
            run.step()
            run.step()
            with agent_otel.run("Look", agent="helper", scope=["src/**"], exclusions=[]) as helper:
                helper.record_command("make test", exit_code=2, duration_s=1.0, output="boom")
                helper.failure(command="make test", error="boom", suspected_cause="typo")
            run.file_changed("src/a.py", lines_added=1, lines_removed=1)
            run.record_command("make test", exit_code=0, duration_s=1.0)
            run.decision("fix the typo", alternatives={"skip the test": "hides it"}, based_on=["ADR-1"])
            run.verification("unit", passed=True, required=True)
            run.skipped("e2e", reason="no browser", unavailable=True, required=True)
            run.gate("git_push", "deny", policy="no-push", reason="by hand")
            run.handoff("patch", blockers=["e2e not run"], next_action="run e2e")
    return recorded


def test_the_same_program_gives_the_same_records() -> None:
    """Ids and times are fixed, to the byte."""
    first, second = ([encode(record) for record in story().records] for _ in range(2))
    assert first == second
    assert len(first) == 2


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_order_repetition_and_partition_of_items_do_not_matter(data: st.DataObject) -> None:
    """Whatever way the items take through the store, the records are the same, to the byte (G2)."""
    items = STORY.items
    order = data.draw(st.permutations(range(len(items))))
    again = data.draw(st.lists(st.sampled_from(range(len(items)))))
    shuffled = [items[number] for number in [*order, *again]]
    assert [encode(record) for record in fold_groups(shuffled, policy=Policy())] == EXPECTED


STORY = story()
EXPECTED = [encode(record) for record in STORY.records]


def test_nothing_global_is_touched() -> None:
    """The global provider stays unset, and the instrumentation before is back afterwards."""
    before = state.current()
    with record_runs(git=False) as recorded:
        assert state.current() is not before
        with agent_otel.run("Fix"):
            pass
    assert state.current() is before
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    assert len(recorded.spans) == 1


def test_recordings_nest() -> None:
    """The inner one takes what happens inside of it, and the outer one goes on after."""
    with record_runs(git=False) as outer:
        with record_runs(git=False) as inner, agent_otel.run("In", id="in"):
            pass
        with agent_otel.run("Out", id="out"):
            pass
    assert (outer.record.run_id, inner.record.run_id) == ("out", "in")


def test_one_record_is_expected_where_one_is_asked_for() -> None:
    """``record`` says which runs there are when it is not exactly one."""
    with record_runs(git=False) as recorded:
        with pytest.raises(LookupError, match=r"expected one run, recorded \[\]"):
            _ = recorded.record
        for number in range(2):
            with agent_otel.run("Fix", id=f"run-{number}"):
                pass
    with pytest.raises(LookupError, match=r"\['run-1', 'run-0'\]"):
        _ = recorded.record


def test_a_run_without_end_is_abandoned() -> None:
    """In a recording there is no more to come."""
    with record_runs(git=False) as recorded:
        scope = agent_otel.run("Fix", id="open")
        run = scope.__enter__()
        run.decision("a", alternatives={"b": "c"})
        assert recorded.record.lifecycle == "abandoned"
        scope.__exit__(None, None, None)
    assert recorded.record.lifecycle == "settled"


def test_settings_are_checked() -> None:
    """A setting that cannot be is said at once."""
    with pytest.raises(SettingsError, match="value_limit must be at least 64"), record_runs(value_limit=1):
        pass


def test_the_clock_ticks() -> None:
    """Each look at the fixed clock is a millisecond later."""
    clock = fixed_clock()
    assert [clock(), clock()] == [EPOCH_NS, EPOCH_NS + 1_000_000]


def test_commands_keep_their_order_whatever_they_really_took() -> None:
    """A quick failure and a slower pass of one check are in the order in which they ran."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix", scope=["**"], exclusions=[]) as run:
        first = run.command("exit 1")
        second = run.command("sleep 0.05")
        run.verification("unit", evidence=[first])
        run.verification("unit", evidence=[second])
    assert [command.exit_code for command in recorded.record.commands] == [1, 0]
    assert all(command.duration_s < 0.05 for command in recorded.record.commands)
