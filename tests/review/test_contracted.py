"""Records under a contract that their runs never saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from agent_otel.errors import SettingsError
from agent_otel.model.contract import Budgets, Contract, RequiredCheck, RuleChoice
from agent_otel.model.record import (
    Base,
    Budget,
    ChangedFile,
    Check,
    Command,
    RunRecord,
    Task,
    ToolCalls,
    Usage,
    Verification,
)
from agent_otel.model.versions import from_builtins
from agent_otel.review.contracted import audit, known_rules, under
from agent_otel.review.judge import judge
from hostile_records import records

DIALECTS = Path(__file__).parents[1] / "data" / "dialects"
UNIT = RequiredCheck(name="unit", command="pytest*")


def ran(*commands: Command, **fields) -> RunRecord:
    """A run of an agent that nobody decorated."""
    known = {"run_id": "r", "lifecycle": "settled", "outcome": "ended"}
    changed = (ChangedFile(path="src/a.py", operation="edit", last_edit="2026-01-01T00:00:00.000Z"),)
    return RunRecord(**known | {"commands": commands, "changed_files": changed} | fields)


def command(line: str = "pytest -q", result="passed", number: int = 1, **more) -> Command:
    """A command that the harness saw."""
    return Command(id=f"c{number}", command=line, result=result, observer="harness", **more)


def derived(check: str, of: Command, outcome="pass", number: int = 1) -> Verification:
    """What a command line shows of a check."""
    return Verification(id=f"v{number}", check=check, outcome=outcome, command=of.command, command_id=of.id,
                        evidence=(of.id,), derived=True, level="observed", kind="test")  # fmt: skip


def rules(record: RunRecord) -> list[str]:
    """Which rules found something, and how bad that is."""
    return [f"{each.severity} {each.rule}" for each in record.findings if each.layer != "capture"]


OUTCOMES = [
    ("passed", "pass", "unverifiable"),
    ("failed", "fail", "failed"),
    ("timed_out", "fail", "failed"),
    ("denied", "not_run", "not_run"),
    ("not_started", "not_run", "not_run"),
    ("unknown", "unknown", "unverifiable"),
]


@pytest.mark.parametrize(("result", "outcome", "verdict"), OUTCOMES)
def test_a_command_is_the_check_whose_pattern_it_matches(result: str, outcome: str, verdict: str) -> None:
    """Nobody called it a check, and the contract says that it is one."""
    check = RequiredCheck(name="unit", command="./check*")
    (entry,) = under(ran(command("./check.sh", result)), Contract(required_checks=(check,))).verifications
    assert (entry.id, entry.check, entry.outcome, entry.verdict, entry.required) == (
        "v1", "unit", outcome, verdict, True,
    )  # fmt: skip


def test_a_command_that_only_the_agent_reports_is_a_claim() -> None:
    """Its exit code is what the agent says."""
    said = replace(command("./check.sh"), observer="agent")
    (entry,) = under(ran(said), Contract(required_checks=(RequiredCheck(name="unit", command="./c*"),))).verifications
    assert (entry.level, entry.verdict) == ("claimed", "claimed")


def test_a_derived_verification_speaks_for_the_check() -> None:
    """What is known of it by its line stays as it is, but is required now."""
    run = command()
    held = under(ran(run, verifications=(derived("pytest", run),)), Contract(required_checks=(UNIT,)))
    assert [(each.check, each.required) for each in held.verifications] == [("pytest", True)]
    assert held.skipped_checks == ()


def test_a_line_of_several_checks_counts_as_a_whole() -> None:
    """The contract names the line, and its exit code is that of the line."""
    run = command("pytest -q && ruff check", "failed")
    record = ran(run, verifications=(derived("pytest", run), derived("ruff check", run, "unknown", 2)))
    held = under(record, Contract(required_checks=(UNIT,)))
    assert held.verifications[-1].id == "v3"
    assert held.review_state == "failing"


def test_what_never_ran_is_missing() -> None:
    """A required check without a trace in the record."""
    held = under(ran(command("ls")), Contract(required_checks=(UNIT, RequiredCheck(name="e2e"))))
    assert [(each.id, each.check, each.outcome) for each in held.verifications] == [
        ("v1", "unit", "not_run"),
        ("v2", "e2e", "not_run"),
    ]
    assert held.skipped_checks == ("v1", "v2")
    assert held.review_state == "missing required evidence"


def test_a_declared_verification_is_not_told_twice() -> None:
    """The run named its evidence: a second entry would say the same."""
    run = command()
    declared = Verification(id="v1", check="unit", outcome="pass", evidence=("c1",), command_id="c1", span="t/s")
    assert len(under(ran(run, verifications=(declared,)), Contract(required_checks=(UNIT,))).verifications) == 1


@pytest.mark.parametrize(
    ("file", "demanded"),
    [
        (ChangedFile(path="src/a.py", operation="edit"), True),
        (ChangedFile(path="b.py", old_path="src/a.py", operation="rename"), True),
        (ChangedFile(path="docs/a.md", operation="edit"), False),
    ],
)
def test_paths_make_a_check_required(file: ChangedFile, demanded) -> None:
    """A run that touched none of them owes nothing; that its own contract demanded it changes nothing."""
    own = Task(required_checks=(Check(name="unit"), Check(name="lint")))
    placeholder = Verification(id="v1", check="unit", outcome="not_run", required=True)
    contract = Contract(required_checks=(RequiredCheck(name="unit", command="pytest*", paths=("src/**",)),))
    held = under(ran(task=own, verifications=(placeholder,), changed_files=(file,)), contract)
    assert [each.name for each in held.task.required_checks] == [*(["unit"] if demanded else []), "lint"]
    assert [each.check for each in held.verifications] == [each.name for each in held.task.required_checks]


def test_what_the_run_was_told_of_a_check_of_other_files_is_no_demand() -> None:
    """It says itself that it skipped something required; the contract says of which files that is true."""
    skip = Verification(id="v1", check="unit", outcome="not_run", required=True, reason="no time", span="t/s")
    record = ran(verifications=(skip, replace(skip, id="v2", check="lint")))
    contract = Contract(required_checks=(RequiredCheck(name="unit", paths=("docs/**",)),))
    held = under(record, contract)
    assert [(each.id, each.required) for each in held.verifications] == [("v1", False), ("v2", True)]
    assert under(held, contract) == held


def test_that_nothing_was_seen_is_said_once_and_last() -> None:
    """Whether the entry of the record knew that the check is required, or not."""
    silent = Verification(id="v7", check="unit", outcome="not_run")
    contract = Contract(required_checks=(RequiredCheck(name="unit"),))
    for entry in (silent, replace(silent, required=True)):
        held = under(ran(verifications=(entry,)), contract)
        assert [(each.id, each.required) for each in held.verifications] == [("v1", True)]
        assert under(held, contract) == held
    assert under(ran(verifications=(entry,)), Contract()).verifications[0].id == "v7"


def test_the_contract_owns_what_it_states() -> None:
    """What it does not state stays as the run had it; what the task was, the run knows best."""
    own = Task(objective="mine", scope=("**",), branch="main", acceptance="it works")
    contract = Contract(objective="theirs", scope=("lib/**",), off_limits=("src/a.py",), branch="fix/*")
    held = under(ran(task=own, base=Base(branch="main")), contract)
    assert held.task == Task(
        objective="mine", scope=("lib/**",), off_limits=("src/a.py",), branch="fix/*", acceptance="it works"
    )
    assert {"warning out-of-scope", "error off-limits", "warning wrong-branch"} <= set(rules(held))
    assert under(ran(), contract).task.objective == "theirs"


OVER = Budget(limit=3, consumed=4, exceeded=True)


@pytest.mark.parametrize(
    ("budgets", "fields", "expected"),
    [
        (Budgets(tool_calls=3), {"tool_calls": (ToolCalls(name="a", calls=4),)}, OVER),
        (Budgets(tool_calls=4), {"tool_calls": (ToolCalls(name="a", calls=4),)}, Budget(limit=4, consumed=4)),
        (Budgets(tokens=9), {"usage": Usage(input_tokens=10)}, Budget(limit=9, consumed=10, exceeded=True)),
        (Budgets(tokens=9), {"usage": Usage(output_tokens=1)}, Budget(limit=9, consumed=1)),
        (Budgets(tokens=9), {}, Budget(limit=9)),
        (Budgets(wall_time=1.5), {"duration_s": 2.0}, Budget(limit=1.5, consumed=2, exceeded=True)),
        (Budgets(steps=1), {}, Budget(limit=1)),
        (Budgets(steps=3), {"budgets": {"steps": Budget(limit=9, consumed=4)}}, OVER),
    ],
)  # fmt: skip
def test_budgets_are_held_to_what_was_used(budgets: Budgets, fields: dict, expected: Budget) -> None:
    """As the run counted it, else as the record shows it."""
    held = under(ran(**fields), Contract(budgets=budgets))
    assert list(held.budgets.values()) == [expected]
    assert ("warning budget-exceeded" in rules(held)) is expected.exceeded


def test_rules_are_ignored_selected_and_weighed() -> None:
    """What does not count is kept with the reason, where there is one."""
    contract = Contract(off_limits=("src/**",), scope=("lib/**",), required_checks=(RequiredCheck(name="e2e"),))
    choice = RuleChoice(
        select=("off-limits", "out-of-scope"), ignore={"off-limits": "generated"}, severity={"out-of-scope": "error"}
    )
    done = audit(ran(), replace(contract, rules=choice))
    assert rules(done.record) == ["error out-of-scope"]
    assert [(each.finding.rule, each.reason) for each in done.ignored] == [("off-limits", "generated")]
    assert "error missing-required-check" in rules(audit(ran(), contract).record)


def test_an_unknown_rule_is_told() -> None:
    """With the nearest known one."""
    with pytest.raises(SettingsError, match=r"^x\.toml: rules: unknown rule 'no-handof'; did you mean 'no-handoff'"):
        known_rules(Contract(rules=RuleChoice(ignore={"no-handof": "x"})), source="x.toml")
    known_rules(Contract(rules=RuleChoice(select=("no-handoff",))), source="x.toml")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_twice_equals_once(record: RunRecord) -> None:
    """Holding a record to the same contract again changes nothing; no contract is as judging."""
    contract = Contract(scope=("src/**",), required_checks=(UNIT, RequiredCheck(name="e2e", paths=("src/**",))))
    once = under(record, contract)
    assert under(once, contract) == once


CASES = sorted(DIALECTS.glob("*/fix/records.json"))


@pytest.mark.parametrize("file", CASES, ids=[str(case.parent.relative_to(DIALECTS)) for case in CASES])
def test_real_agents_raise_no_false_alarm(file: Path) -> None:
    """No error in a run that repaired what it should, until a contract forbids what it did."""
    for record in map(from_builtins, json.loads(file.read_text())):
        assert "error" not in [each.severity for each in judge(record).findings]
        paths = tuple(each.path for each in record.changed_files)
        done = audit(record, Contract(off_limits=paths))
        assert ("error off-limits" in rules(done.record)) is bool(paths)
