"""A run: its span, its task, what it starts from and what it leaves, and how it ends."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind, StatusCode

import agent_otel
from agent_otel.errors import BudgetExceeded, SettingsError
from agent_otel.model import names
from agent_otel.sdk import guard, state
from agent_otel.testing import Recorded, record_runs


def event(recorded: Recorded, name: str, *, number: int = 0) -> dict:
    """The attributes of a span event."""
    found = [event for span in recorded.spans for event in span.events if event.name == name]
    return dict(found[number].attributes)


def span(recorded: Recorded, name: str):
    """The one span of this name."""
    (found,) = [span for span in recorded.spans if span.name == name]
    return found


def test_the_span_of_a_run_follows_the_genai_conventions() -> None:
    """A run is an INTERNAL span ``invoke_agent {agent}`` that says which run, agent and task it is."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix it", agent="fixer", id="run-1", version="1.2"):
        pass
    found = span(recorded, "invoke_agent fixer")
    assert found.kind is SpanKind.INTERNAL
    assert found.attributes[names.OPERATION_NAME] == "invoke_agent"
    assert found.attributes[names.AGENT_NAME] == "fixer"
    assert found.attributes[names.AGENT_VERSION] == "1.2"
    assert found.attributes[names.RUN_ID] == "run-1"
    assert found.attributes[names.TASK_OBJECTIVE] == "Fix it"
    assert found.attributes[names.RUN_OUTCOME] == "ended"
    assert names.CONVERSATION_ID not in found.attributes, "a conversation id is never made up"


def test_a_workflow_orchestrates_agents() -> None:
    """With a workflow name the span is ``invoke_workflow``, and runs inside of it are its children."""
    with record_runs(git=False) as recorded, agent_otel.run("All", workflow="release", agent="lead"):
        with agent_otel.run("Part", agent="worker"):
            pass
    workflow, worker = span(recorded, "invoke_workflow release"), span(recorded, "invoke_agent worker")
    assert worker.parent.span_id == workflow.context.span_id
    assert worker.attributes[names.RUN_PARENT] == workflow.attributes[names.RUN_ID]


def test_a_run_inside_a_run_has_a_record_of_its_own() -> None:
    """A sub-agent's record names its parent, and what it did is not the parent's."""
    with record_runs(git=False) as recorded, agent_otel.run("Outer", agent="lead", id="outer"):
        with agent_otel.run("Inner", agent="helper", id="inner") as inner:
            inner.decision("left", alternatives={"right": "longer"})
    records = {record.run_id: record for record in recorded.records}
    assert records["inner"].parent_run == "outer"
    assert records["outer"].parent_run is None
    assert [decision.option for decision in records["inner"].decisions] == ["left"]
    assert not records["outer"].decisions


def test_a_run_that_does_another_again_says_so() -> None:
    """On its span and in its first event, so that a killed one says it, too."""
    with record_runs(git=False) as recorded:
        with agent_otel.run("Fix", agent="fixer", id="second", redo_of="first"):
            pass
        with agent_otel.run("Fix", agent="fixer", id="other"):
            pass
    records = {record.run_id: record.redo_of for record in recorded.records}
    assert records == {"second": ("first",), "other": ()}
    told = {span.attributes[names.RUN_ID]: span.attributes.get(names.RUN_REDO_OF) for span in recorded.spans}
    assert told == {"second": "first", "other": None}


def test_a_run_knows_what_it_started_from_and_what_it_left(repo: Path, git) -> None:
    """Base commit, branch, trees and the changed files with their line counts are in the record."""
    with record_runs() as recorded, agent_otel.run("Fix", repo=repo):
        (repo / "a.txt").write_text("one\nthree\nfour\n")
        (repo / "new.txt").write_text("new\n")
        (repo / "ignored").mkdir()
        (repo / "ignored" / "junk").write_text("junk")
        git(repo, "mv", "src/app.py", "src/main.py")
    record = recorded.record
    assert record.base.branch == "work"
    assert record.base.commit == git(repo, "rev-parse", "HEAD")
    assert record.base.repository == "repo"
    assert record.base.dirty is False
    assert record.base.tree == git(repo, "rev-parse", "HEAD^{tree}")
    assert record.final.dirty is True
    assert record.final.tree != record.base.tree
    changes = {change.path: change for change in record.changed_files}
    assert set(changes) == {"a.txt", "new.txt", "src/main.py"}
    assert (changes["a.txt"].operation, changes["a.txt"].lines_added, changes["a.txt"].lines_removed) == ("edit", 2, 1)
    assert changes["new.txt"].operation == "create"
    assert (changes["src/main.py"].operation, changes["src/main.py"].old_path) == ("move", "src/app.py")


def test_without_a_repository_the_record_says_not_recorded(tmp_path: Path) -> None:
    """Outside of any repository nothing is claimed about one."""
    with record_runs() as recorded, agent_otel.run("Fix", repo=tmp_path):
        pass
    assert recorded.record.base == type(recorded.record.base)()
    assert recorded.record.final == type(recorded.record.final)()


def test_without_git_a_run_goes_on(repo: Path, python) -> None:
    """Where no git is installed the program runs, and the record has no base."""
    done = python(
        "import agent_otel\n"
        "from agent_otel.testing import record_runs\n"
        "with record_runs() as recorded, agent_otel.run('Fix'):\n"
        "    pass\n"
        "print(recorded.record.base.commit, recorded.record.lifecycle)",
        cwd=repo,
        env={"PATH": str(repo)},
    )
    assert (done.returncode, done.stdout.strip()) == (0, "None settled"), done.stderr


def test_a_missing_required_field_is_a_finding_and_never_an_error() -> None:
    """A run without scope and exclusions is recorded, and the record says what was not given."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.failure()
        run.decision()
        run.verification()
        run.handoff()
    record = recorded.record
    rules = [finding.rule for finding in record.findings]
    assert rules.count("event-field-missing") >= 5
    assert set(record.task.missing) == {"scope", "exclusions"}


def test_an_empty_list_that_was_given_is_not_missing() -> None:
    """``blockers=[]`` says that nothing blocks."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix", scope=["**"], exclusions=[]) as run:
        run.handoff("done", blockers=[], next_action="merge")
    assert recorded.record.handoff.missing == ()
    assert recorded.record.task.missing == ()


ENDS = [
    (RuntimeError("boom"), StatusCode.ERROR, "RuntimeError", "failed"),
    (agent_otel.Denied("no", policy="p"), StatusCode.ERROR, "denied", "failed"),
    (asyncio.CancelledError(), StatusCode.ERROR, "cancelled", "interrupted"),
    (KeyboardInterrupt(), StatusCode.ERROR, "cancelled", "interrupted"),
    (SystemExit(3), StatusCode.ERROR, "cancelled", "failed"),
    (SystemExit(0), StatusCode.UNSET, None, "ended"),
    (GeneratorExit(), StatusCode.UNSET, None, "ended"),
]


@pytest.mark.parametrize(("error", "status", "error_type", "outcome"), ENDS, ids=lambda value: repr(value)[:24])
def test_every_way_out_closes_the_run(error: BaseException, status: StatusCode, error_type: str, outcome: str) -> None:
    """The exception passes through untouched; span and record say how the run ended."""
    with record_runs(git=False) as recorded:
        with pytest.raises(type(error)) as caught, agent_otel.run("Fix", agent="fixer"):
            raise error
        assert agent_otel.current_run() is None
    assert caught.value is error
    found = span(recorded, "invoke_agent fixer")
    assert found.status.status_code is status
    assert found.attributes.get(names.ERROR_TYPE) == error_type
    assert recorded.record.outcome == outcome


def test_a_run_decorates_functions_and_coroutines() -> None:
    """Each call is a run of its own, and the function keeps its name and result."""

    @agent_otel.run("Fix", agent="fixer")
    def fix(number: int) -> int:
        """Fix it."""
        return number + 1

    @agent_otel.run("Fix", agent="later")
    async def fix_later(number: int) -> int:
        return number + 2

    with record_runs(git=False) as recorded:
        assert (fix(1), fix(2)) == (2, 3)
        assert asyncio.run(fix_later(1)) == 3
    assert (fix.__name__, fix.__doc__) == ("fix", "Fix it.")
    assert [each.name for each in recorded.spans].count("invoke_agent fixer") == 2
    assert len({each.attributes[names.RUN_ID] for each in recorded.spans}) == 3


def test_a_run_does_not_decorate_generators() -> None:
    """A generator has no end of its own, and the error says what to do instead."""
    with pytest.raises(SettingsError, match="use 'with run"):

        @agent_otel.run("Fix")
        def numbers():
            yield 1


def test_an_asynchronous_run_leaves_a_whole_record_when_its_task_is_cancelled(repo: Path) -> None:
    """Cancelled half-way, the run is interrupted, and its final tree is known."""

    async def main() -> None:
        started = asyncio.Event()

        async def work() -> None:
            async with agent_otel.run("Fix", repo=repo) as run:
                run.decision("wait", alternatives={"go": "too early"})
                started.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with record_runs() as recorded:
        asyncio.run(main())
    assert recorded.record.outcome == "interrupted"
    assert recorded.record.final.tree == recorded.record.base.tree
    assert recorded.record.decisions


def test_concurrent_runs_keep_apart() -> None:
    """Tasks and threads that run side by side each have their own current run."""
    barrier = threading.Barrier(3)

    def work(number: int) -> None:
        with agent_otel.run(f"Task {number}", id=f"run-{number}"):
            barrier.wait()
            agent_otel.decision(f"option {number}", alternatives={"none": "x"})
            barrier.wait()

    with record_runs(git=False) as recorded:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = {record.run_id: [each.option for each in record.decisions] for record in recorded.records}
    assert found == {f"run-{number}": [f"option {number}"] for number in range(3)}


def test_a_crossed_budget_is_one_event_and_no_exception() -> None:
    """The third step of two is recorded once, and the program goes on."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix", budgets={"steps": 2}) as run:
        for _ in range(5):
            run.step()
    crossings = [each for each in recorded.spans[0].events if each.name == names.BUDGET_EXCEEDED]
    assert [(each.attributes[names.BUDGET_NAME], each.attributes[names.BUDGET_CONSUMED]) for each in crossings] == [
        ("steps", 3.0)
    ]
    assert recorded.record.budgets["steps"].exceeded
    assert recorded.record.budgets["steps"].consumed == 5
    assert "budget-exceeded" in [finding.rule for finding in recorded.record.findings]


def test_a_crossed_budget_raises_where_asked() -> None:
    """With ``raise_on_budget`` the call that crosses raises, and says limit and use."""
    with record_runs(git=False) as recorded, pytest.raises(BudgetExceeded) as caught:
        with agent_otel.run("Fix", budgets={"tokens": 100}, raise_on_budget=True) as run:
            run.usage(input_tokens=90, output_tokens=20, model="m")
    assert (caught.value.budget, caught.value.limit, caught.value.consumed) == ("tokens", 100, 110)
    assert recorded.record.usage.input_tokens == 90
    assert recorded.record.outcome == "failed"


def test_wall_time_is_a_budget() -> None:
    """A run that took longer than it may says so at its end."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix", budgets={"wall_time": 0}):
        pass
    assert recorded.record.budgets["wall_time"].exceeded


def test_a_refused_call_has_its_span() -> None:
    """A denied call is a span with status ERROR and ``error.type`` denied, and a gate in the record."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.gate("git_push", "deny", policy="no-push", reason="by hand")
        run.gate("git_status", "allow")
    refused = span(recorded, "execute_tool git_push")
    assert refused.status.status_code is StatusCode.ERROR
    assert refused.attributes[names.ERROR_TYPE] == "denied"
    gates = [(gate.tool, gate.outcome, gate.policy) for gate in recorded.record.gates]
    assert gates == [("git_push", "deny", "no-push"), ("git_status", "allow", None)]


def test_the_words_work_deep_inside_code_that_never_saw_the_run() -> None:
    """Module-level functions record on the current run, with its id."""

    def deep() -> None:
        agent_otel.context_source("ADR-029")
        agent_otel.file_read("src/a.py", reason="look")
        agent_otel.file_changed("src/a.py", lines_added=2)
        agent_otel.risk("untested")
        agent_otel.final_message("all done")
        agent_otel.skipped("e2e", reason="no browser", unavailable=True)
        agent_otel.record_command("make", exit_code=2, output="boom")

    with record_runs(git=False) as recorded, agent_otel.run("Fix"):
        deep()
    record = recorded.record
    assert [source.name for source in record.context_sources] == ["ADR-029"]
    assert [(each.path, each.reason) for each in record.files_inspected] == [("src/a.py", "look")]
    assert [(each.path, each.lines_added) for each in record.changed_files] == [("src/a.py", 2)]
    assert record.open_risks == ("untested",)
    assert [claim.text for claim in record.claims] == ["all done"]
    stated = [(each.check, each.outcome) for each in record.verifications if not each.derived]
    assert stated == [("e2e", "not_run")]
    assert [(each.command, each.result, each.observer) for each in record.commands] == [("make", "failed", "agent")]


def test_the_words_are_harmless_outside_of_any_run() -> None:
    """Nothing is recorded and nothing raises."""
    with record_runs(git=False) as recorded:
        agent_otel.decision("x")
        agent_otel.handoff("x")
        agent_otel.gate("tool", "deny")
        agent_otel.step()
        agent_otel.usage(input_tokens=1)
    assert recorded.spans == ()
    assert recorded.logs == ()


def test_odd_arguments_never_break_the_program(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is passed, the program goes on; what can be recorded is."""

    class Odd:
        def __str__(self) -> str:
            raise RuntimeError

    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.decision(Odd(), alternatives=Odd(), based_on=Odd())
        run.verification("check", evidence=Odd())
        run.handoff("\ud800 surrogate", blockers=[1, None], next_action="go")
        run.file_read(Path("a"), reason=7)
    assert recorded.record.handoff.status == "� surrogate"
    assert recorded.record.handoff.blockers == ("1", "None")
    assert all("RuntimeError" in line.message or "failed while" in line.message for line in caplog.records)


def test_an_event_goes_to_the_span_and_to_the_log_pipeline_with_one_id() -> None:
    """Both copies carry the same id, and the record counts them once."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.decision("a", alternatives={"b": "c"})
    on_span = event(recorded, names.DECISION_MADE)
    (in_log,) = [each.log_record for each in recorded.logs if each.log_record.event_name == names.DECISION_MADE]
    assert on_span[names.EVENT_ID] == in_log.attributes[names.EVENT_ID]
    assert in_log.span_id == recorded.spans[0].context.span_id
    assert len(recorded.record.decisions) == 1


@pytest.mark.parametrize(("target", "spans", "logs"), [("span", 1, 0), ("log", 0, 1), ("both", 1, 1)])
def test_where_events_go_is_a_setting(target: str, spans: int, logs: int) -> None:
    """``events`` chooses the span, the log pipeline, or both."""
    with record_runs(git=False, events=target) as recorded, agent_otel.run("Fix") as run:
        run.decision("a", alternatives={"b": "c"})
    assert sum(each.name == names.DECISION_MADE for each in recorded.spans[0].events) == spans
    assert sum(each.log_record.event_name == names.DECISION_MADE for each in recorded.logs) == logs


def test_a_verification_is_also_the_standard_evaluation_event() -> None:
    """Tools that know only OpenTelemetry's evaluation event see check and outcome."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.verification("unit", passed=False, reason="2 failed")
    found = event(recorded, names.EVALUATION_RESULT)
    assert found[names.EVALUATION_NAME] == "unit"
    assert found[names.EVALUATION_SCORE_LABEL] == "fail"
    assert found[names.EVALUATION_SCORE_VALUE] == 0.0
    assert found[names.TEST_SUITE_RUN_STATUS] == "failure"
    assert found[names.EVENT_ID] == event(recorded, names.VERIFICATION_RAN)[names.EVENT_ID]


def test_paths_are_recorded_relative_to_the_repository(repo: Path) -> None:
    """An absolute path inside of the repository is the same file as its relative one."""
    with record_runs() as recorded, agent_otel.run("Fix", repo=repo) as run:
        run.file_read(repo / "src" / "app.py", reason="look")
        run.file_read(repo.parent / "elsewhere", reason="look")
    paths = [each.path for each in recorded.record.files_inspected]
    assert paths == ["src/app.py", str(repo.parent / "elsewhere")]


def test_a_child_process_continues_the_trace_and_names_its_parent_run(python) -> None:
    """With TRACEPARENT and AGENT_OTEL_RUN in its environment, a run belongs to the trace and run that started it."""
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    done = python(
        "import agent_otel\n"
        "from agent_otel.testing import record_runs\n"
        "with record_runs(git=False) as recorded, agent_otel.run('Fix') as run:\n"
        "    pass\n"
        "span = recorded.spans[0]\n"
        "print(format(span.context.trace_id, '032x'), format(span.parent.span_id, '016x'), run.parent_id)",
        env={"TRACEPARENT": f"00-{trace_id}-{parent}-01", "AGENT_OTEL_RUN": "outer"},
    )
    assert done.stdout.split() == [trace_id, parent, "outer"], done.stderr


def test_a_heartbeat_tells_that_a_run_is_alive() -> None:
    """Signs of life go to the log pipeline only, while the run is open."""
    with record_runs(git=False, heartbeat_s=0.01) as recorded, agent_otel.run("Fix"):
        alive = threading.Event()
        while not any(each.log_record.event_name == names.RUN_HEARTBEAT for each in recorded.logs):
            alive.wait(0.005)
    assert not any(each.name == names.RUN_HEARTBEAT for each in recorded.spans[0].events)


def test_a_heartbeat_names_the_commands_that_are_running() -> None:
    """A killed process never sends its open spans; its last sign of life says what was going on."""

    def beats(recorded: Recorded) -> list[tuple[str, ...]]:
        logs = [each.log_record for each in recorded.logs if each.log_record.event_name == names.RUN_HEARTBEAT]
        return [log.attributes[names.RUN_OPEN_SPANS] for log in logs]

    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.beat()
        run.command(["sh", "-c", "echo; read line"], on_output=lambda _: run.beat())
        run.beat()
    assert beats(recorded) == [(), ("execute_tool run_command sh",), ()]


def test_metrics_of_a_run_are_recorded() -> None:
    """Duration, tool calls and model calls of a run are measured under the conventions' names."""
    with record_runs(git=False) as recorded:
        with agent_otel.run("Fix", agent="fixer") as run:
            run.usage(input_tokens=1)
            run.command(["true"])
        points = recorded.metrics()
    assert points[names.METRIC_AGENT_DURATION][0].attributes[names.AGENT_NAME] == "fixer"
    assert points[names.METRIC_AGENT_TOOL_CALLS][0].sum == 1
    assert points[names.METRIC_AGENT_INFERENCE_CALLS][0].sum == 1
    assert points[names.METRIC_TOOLS_CALLED][0].attributes == {"tool": "run_command"}


def test_without_a_provider_a_run_costs_no_git_and_records_nothing(repo: Path, python) -> None:
    """An unconfigured program runs as if the run were not there."""
    done = python(
        "import agent_otel, os, pathlib\n"
        "with agent_otel.run('Fix', agent='a') as run:\n"
        "    run.decision('x')\n"
        "    print(run.command(['true']).result, run.tree() == '')\n"
        "print(sorted(each.name for each in pathlib.Path('.').iterdir()))",
        cwd=repo,
    )
    assert done.stdout.splitlines() == ["passed True", "['.git', '.gitignore', 'a.txt', 'src']"], done.stderr
    assert done.stderr == ""


def test_a_failing_hook_or_exporter_never_reaches_the_program(caplog: pytest.LogCaptureFixture) -> None:
    """What breaks on our side is logged once, and the run ends as it should."""

    def broken(_: str) -> None:
        raise OSError("disk on fire")

    with record_runs(git=False) as recorded:
        before = state.install(replace(state.current(), on_run_start=(broken,), on_run_end=(broken,)))
        try:
            for _ in range(3):
                with agent_otel.run("Fix"):
                    pass
        finally:
            state.install(before)
    assert len(recorded.spans) == 3
    assert sum("telling that a run ended" in line.message for line in caplog.records) <= 1
    assert guard.failures()["telling that a run ended: OSError"] >= 3


def test_os_environ_is_left_alone() -> None:
    """A run changes no environment variable of this process."""
    before = dict(os.environ)
    with record_runs(git=False), agent_otel.run("Fix") as run:
        run.command(["true"])
    assert dict(os.environ) == before
