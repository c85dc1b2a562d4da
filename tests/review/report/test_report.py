"""The figures of a report against what can be counted in the records by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.model.record import (
    Agent,
    Base,
    Budget,
    Capture,
    Command,
    Failure,
    Finding,
    Gate,
    RunRecord,
    ToolCalls,
    Usage,
)
from agent_otel.model.versions import from_builtins
from agent_otel.review.judge import judge
from agent_otel.review.report.build import Figures
from agent_otel.review.report.evidence import UNNAMED
from agent_otel.review.report.reasons import reasons
from agent_otel.review.report.shape import Report, Stored
from hostile_records import records

DIALECTS = Path(__file__).parents[2] / "data" / "dialects"
DOCUMENTS = [
    {**document, "run_id": f"{path.parent.name}-{document['run_id']}"}
    for path in sorted(DIALECTS.glob("*/*/records.json"))
    for document in json.loads(path.read_text(encoding="utf-8"))
]
RECORDS = [judge(from_builtins(document)) for document in DOCUMENTS]
NAMED = st.lists(records(), max_size=4, unique_by=lambda record: record.run_id)


def report(found: list[RunRecord], *, most_runs: int = 50, stored: Stored | None = None) -> Report:
    """The figures of records."""
    figures = Figures(most_runs=most_runs)
    for record in found:
        figures.add(record)
    return figures.report(stored=stored)


@pytest.fixture(scope="module")
def of_captures() -> Report:
    """The figures of all recorded runs of real agents."""
    return report(RECORDS)


def test_runs_are_those_of_the_documents(of_captures) -> None:
    """Counted by state, lifecycle and outcome; those told of are the latest that need a reviewer."""
    runs = of_captures.runs
    for name, told in (("review_state", runs.states), ("lifecycle", runs.lifecycles), ("outcome", runs.outcomes)):
        assert {each.name: each.count for each in told} == Counter(document[name] for document in DOCUMENTS)
    assert of_captures.headline.runs == len(DOCUMENTS)
    need = [record for record in RECORDS if record.review_state not in ("done", "in progress")]
    latest = sorted(need, key=lambda record: (record.started or "", record.run_id), reverse=True)
    assert [row.run_id for row in runs.first_to_review][: len(latest)] == [each.run_id for each in latest][:50]
    assert sum(row.findings for row in runs.findings_by_rule) == sum(len(each["findings"]) for each in DOCUMENTS)
    assert sum(each.count for each in runs.findings_by_layer) == sum(len(each["findings"]) for each in DOCUMENTS)


def test_tools_and_commands_are_those_of_the_documents(of_captures) -> None:
    """Calls, failures and results add up."""
    tools = of_captures.tools
    calls = [call for document in DOCUMENTS for call in document["tool_calls"]]
    commands = [command for document in DOCUMENTS for command in document["commands"]]
    assert tools.calls == sum(call["calls"] for call in calls)
    assert tools.failed_calls == sum(call.get("failed", 0) for call in calls)
    assert tools.denied_calls == sum(call.get("denied", 0) for call in calls)
    assert tools.commands == len(commands)
    assert tools.failed_commands == sum(command["result"] in ("failed", "timed_out") for command in commands)
    slowest = max(command["duration_s"] for command in commands if "duration_s" in command)
    assert tools.slowest[0].duration_s == slowest


def test_evidence_and_cost_are_those_of_the_documents(of_captures) -> None:
    """Claims by verdict; tokens and money where they were told."""
    claims = [claim for document in DOCUMENTS for claim in document.get("claims", ())]
    stated = Counter(each["verdict"] for claim in claims for each in claim.get("statements", ()))
    assert {each.name: each.count for each in of_captures.evidence.claims} == stated
    usage = [document["usage"] for document in DOCUMENTS]
    assert of_captures.budgets.input_tokens == sum(each.get("input_tokens", 0) for each in usage)
    assert of_captures.budgets.output_tokens == sum(each.get("output_tokens", 0) for each in usage)
    assert of_captures.budgets.cost_known == sum("cost_usd" in each for each in usage)
    assert of_captures.budgets.cost_usd == pytest.approx(sum(each.get("cost_usd", 0) for each in usage))
    assert of_captures.processor.spans == sum(document["capture"]["spans"] for document in DOCUMENTS)


@settings(max_examples=25, deadline=None)
@given(found=NAMED, data=st.data())
def test_the_order_of_records_does_not_matter(found, data) -> None:
    """Neither for the figures nor for which runs are told of."""
    one = report(found, most_runs=3)
    assert one == report(data.draw(st.permutations(found)), most_runs=3)
    assert one.headline.runs == len(found)
    assert len(one.runs.first_to_review) == min(3, len(found))
    plain = json.loads(json.dumps(msgspec.to_builtins(one)))
    assert msgspec.convert(plain, Report) == one


def run(run_id: str, day: int, **fields) -> RunRecord:
    """A run of May 2026, judged."""
    known = {"lifecycle": "settled", "outcome": "ended", "started": f"2026-05-{day:02}T09:00:00.000Z"}
    return judge(RunRecord(run_id=run_id, **{**known, **fields}))


def test_what_became_of_failed_commands_is_told() -> None:
    """Run again and passed, run again in vain, overcome otherwise, or left."""
    lines = [
        ("a", "failed"),
        ("b", "timed_out"),
        ("c", "failed"),
        ("d", "failed"),
        ("a", "failed"),
        ("a", "passed"),
        ("b", "failed"),
    ]
    commands = tuple(
        Command(id=f"c{place}", command=line, result=result, duration_s=float(place))
        for place, (line, result) in enumerate(lines)
    )
    failures = (Failure(id="f", command_id="c2", resolved_by="c5"), Failure(id="g", tool="edit", error="no such file"))
    tools = report([run("r", 1, commands=commands, failures=failures)]).tools
    assert (tools.retried, tools.retried_in_vain, tools.never_repeated) == (3, 1, 2)
    assert [row.command for row in tools.latest_never_repeated] == ["b", "d"]
    assert (tools.failed_commands, tools.timed_out_commands) == (6, 1)
    assert [row.command for row in tools.slowest][:2] == ["b", "a"]
    assert tools.most_run[0].duration is not None


def test_days_are_counted_where_they_are_known() -> None:
    """A run without a start counts in all numbers but those over time."""
    found = report(
        [run("a", 1, duration_s=2.0), run("b", 3, duration_s=4.0), run("c", 3, started=None, duration_s=9.0)]
    )
    (line,) = found.runs.states_over_time.lines
    assert (found.runs.states_over_time.unit, line.name, line.values) == ("day", "incomplete", (1, 0, 2 - 1))
    assert [line.values for line in found.runs.duration_over_time.lines] == [(2.0, None, 4.0)] * 2
    assert (found.runs.first_started, found.runs.last_started) == (
        "2026-05-01T09:00:00.000Z",
        "2026-05-03T09:00:00.000Z",
    )
    assert found.runs.duration is not None
    assert found.runs.duration.count == 3


def test_budgets_money_and_gates_are_told_by_name() -> None:
    """With what was used of limits; several models of a run count together."""
    one = run(
        "a", 1,
        agent=Agent(name="fixer", models=("m2", "m1"), dialect="agent_otel"),
        base=Base(repository="shop"),
        usage=Usage(model_calls=2, input_tokens=10, output_tokens=5, cost_usd=0.25),
        budgets={
            "steps": Budget(limit=10, consumed=12, exceeded=True),
            "tokens": Budget(consumed=7),
            "calls": Budget(limit=3),
        },
        gates=(
            Gate(tool="shell", outcome="deny", policy="no-network"),
            Gate(tool="shell", outcome="deny"),
            Gate(tool="x", outcome="allow"),
        ),
        tool_calls=(ToolCalls(name="shell", calls=4, failed=2, denied=2, duration_s=1.0),),
        capture=Capture(limits=("orphans",)),
        revision=7,
        duration_s=3600.0,
    )  # fmt: skip
    found = report([one, run("b", 2, usage=Usage(cost_usd=float("inf")), revision=30)])
    steps = next(row for row in found.budgets.budgets if row.budget == "steps")
    assert (steps.limited, steps.exceeded, steps.used_share and steps.used_share.p50) == (1, 1, 1.2)
    assert [row.limited for row in found.budgets.budgets] == [1, 1, 0]
    assert (found.budgets.cost_usd, found.budgets.cost_known) == (0.25, 1)
    assert [line.values for line in found.budgets.cost_over_time.lines] == [(0.25, 0)]
    assert [(row.name, row.hours) for row in found.budgets.by_model] == [("m1 + m2", 1.0), ("not recorded", 0.0)]
    assert {each.name: each.count for each in found.tools.denials_by_policy} == {"no-network": 1, "no policy named": 1}
    assert found.tools.most_called[0].mean_s == 0.25
    assert {each.name: each.count for each in found.processor.revisions} == {"6 to 20": 1, "more than 20": 1}
    assert [each.name for each in found.processor.limits] == ["orphans"]


def test_what_broke_after_the_handoff_is_told() -> None:
    """The latest first, and over time."""
    broken = Finding(rule="post-handoff-regression", severity="error", message="e2e fails on main")
    found = report([msgspec.structs.replace(run(name, day), findings=(broken,)) for name, day in (("a", 1), ("b", 2))])
    assert found.headline.regressions == 2
    assert [row.run_id for row in found.evidence.latest_regressions] == ["b", "a"]
    assert [line.values for line in found.evidence.regressions_over_time.lines] == [(1, 1)]
    assert found.runs.findings_by_rule[0].layer is None


def test_failures_are_counted_by_their_fingerprints() -> None:
    """The most frequent first, with how many nothing resolved, and one of their texts."""
    same = [Failure(id=f"f{place}", command="pytest -q", error=f"timeout after {place} s") for place in (1, 2, 3)]
    other = Failure(id="g", tool="edit", error="no such file", resolved_by="c1")
    older = msgspec.structs.replace(run("c", 3), failures=(Failure(id="h", error="x"),))
    found = report([run("a", 1, failures=(*same[:2], other)), run("b", 2, failures=(same[2],)), older])
    first, *rest = found.evidence.most_frequent_failures
    assert (first.failures, first.runs, first.unresolved, first.example) == (3, 2, 3, "timeout after 1 s")
    assert first.fingerprint.startswith("command:pytest:")
    assert {row.fingerprint: row.unresolved for row in rest} == {rest[0].fingerprint: 0, UNNAMED: 1}


def test_a_report_of_nothing_is_whole() -> None:
    """Every part is there, with nothing in it."""
    stored = Stored(items=0, duplicates=0, expired=0, groups=0, waiting=0, records=())
    empty = report([], stored=stored)
    assert empty.headline.runs == 0
    assert empty.processor.stored == stored
    assert empty.runs.first_started is None


def test_reasons_are_few() -> None:
    """Of very many, the first are told, and how many there are more."""
    findings = tuple(Finding(rule=f"rule-{number}", severity="warning", message="m") for number in range(20))
    told = reasons(
        RunRecord(run_id="r", lifecycle="open", outcome="ended", review_state="in progress", findings=findings)
    )
    assert told[0].text == "the run has not ended"
    assert told[-1].text == "and 9 more, in the whole record"
    assert len(told) == 13
