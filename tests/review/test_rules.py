"""Each rule speaks where it should, and is silent where it should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent_otel.model.record import (
    Added,
    Agent,
    Alternative,
    Base,
    Budget,
    Capture,
    ChangedFile,
    Check,
    Claim,
    Command,
    ContextSource,
    Counts,
    Decision,
    Dropped,
    Failure,
    FileInspected,
    Final,
    Finding,
    Gate,
    Handoff,
    OpenSpan,
    RunRecord,
    Task,
    ToolCalls,
    Verification,
)
from agent_otel.review.judge import judge
from agent_otel.review.rules.base import MOST_PER_RULE, Notice, Rule, findings
from agent_otel.review.rules.table import RULES

TREE = "f" * 40
WHOLE = Capture(root_seen=True, complete=True)


def run(**fields) -> RunRecord:
    """A finished run about which nothing can be said, unless ``fields`` give reason."""
    known = {
        "run_id": "r",
        "lifecycle": "settled",
        "outcome": "ended",
        "capture": WHOLE,
        "final": Final(tree=TREE),
        "handoff": Handoff(status="ready", next_action="merge"),
    }
    return RunRecord(**{**known, **fields})


def cmd(number: int = 1, **fields) -> Command:
    """A command seen to pass on the final tree."""
    known = {"command": "pytest -q", "result": "passed", "exit_code": 0, "observer": "harness", "tree": TREE}
    return Command(id=f"c{number}", **{**known, **fields})


def check(outcome: str = "pass", **fields) -> Verification:
    """A required check with the evidence of ``c1``."""
    known = {"id": "v1", "check": "unit", "required": True, "evidence": ("c1",), "level": "observed"}
    return Verification(outcome=outcome, **{**known, **fields})


def derived(outcome: str = "pass", **fields) -> Verification:
    """A test that the command ``c1`` is by its line."""
    known = {"required": False, "derived": True, "kind": "test", "command_id": "c1"}
    return check(outcome, **{**known, **fields})


def skipped(**fields) -> Verification:
    """A required check that did not run."""
    return check("not_run", **{"evidence": (), **fields})


def late(outcome: str, number: int = 2, tree: str = TREE) -> Verification:
    """The same check as CI ran it after the handoff, on the final tree unless another is named."""
    return Verification(id=f"v{number}", check="unit", outcome=outcome, tree=tree, added=Added(id="e", source="ci"))


def change(path: str, **fields) -> ChangedFile:
    """A file edited by a tool after it was read."""
    return ChangedFile(path=path, **{"operation": "edit", "read_before": True, "source": ("tool", "git"), **fields})


def said(text: str, *commands: Command, **fields) -> RunRecord:
    """A run whose final message is ``text``."""
    return run(claims=(Claim(text=text),), commands=commands, **fields)


FAILED = {"result": "failed", "exit_code": 1}
OPEN = {"lifecycle": "open", "outcome": "unknown"}
READ = (FileInspected(path="a.py", reason="why"),)
OWN = Agent(dialect="agent_otel")
CONTRACT = Task(required_checks=(Check(name="unit", command="pytest *"),))
LOSSY = Capture(root_seen=True, complete=False, dropped=Dropped(spans=3))
DUMB = Capture(root_seen=True, complete=True, limits=("content-off",))

# rule: (what happened, record, the findings of this rule as "severity layer refs")
SPEAKS = {
    "missing-required-check": [
        ("never ran", run(task=CONTRACT), ["error judging unit"]),
        ("skipped, available", run(verifications=(skipped(unavailable=False, reason="slow"),)), ["error judging v1"]),
        ("skipped, service down", run(verifications=(skipped(unavailable=True),)), ["error runway v1"]),
        ("skipped, reason says so", run(verifications=(skipped(reason="preview service unavailable"),)),
         ["error runway v1"]),
        ("skipped, other reason", run(verifications=(skipped(reason="took too long"),)), ["error judging v1"]),
        ("not seen in a lossy capture", run(verifications=(skipped(),), capture=LOSSY), ["warning judging v1"]),
        ("not seen, and content is off",
         run(verifications=(skipped(),), capture=DUMB, tool_calls=(ToolCalls(name="bash", calls=2),)),
         ["warning capture v1"]),
        ("said to be skipped, lossy capture", run(verifications=(skipped(span="t/s"),), capture=LOSSY),
         ["error judging v1"]),
        ("no proof", run(verifications=(check("unknown", evidence=()),)), ["warning capture v1"]),
    ],
    "failing-required-check": [
        ("last run failed", run(commands=(cmd(**FAILED),), verifications=(check("fail"),)),
         ["error implementation v1"]),
    ],
    "contradicted-verification": [
        ("evidence failed", run(commands=(cmd(**FAILED),), verifications=(check(),)), ["error verification v1"]),
    ],
    "stale-verification": [
        ("required", run(commands=(cmd(tree="0"),), verifications=(check(),)), ["error verification v1"]),
        ("not required", run(commands=(cmd(tree="0"),), verifications=(check(required=False),)),
         ["warning verification v1"]),
    ],
    "claim-without-command": [
        ("required", run(verifications=(check(evidence=()),)), ["error verification v1"]),
        ("not required", run(verifications=(check(evidence=(), required=False),)), ["warning verification v1"]),
        ("tests pass", said("Done. All tests pass."), ["warning verification claims[0]"]),
        ("42 passed", said("42 passed, 0 failed"), ["warning verification claims[0]"]),
        ("passes all tests", said("It now passes all tests!"), ["warning verification claims[0]"]),
        ("all 42 tests are passing", said("I ran it\nall 42 tests are now passing"),
         ["warning verification claims[0]"]),
        ("build green", said("build is green"), ["warning verification claims[0]"]),
        ("two claims", said("The tests pass. The linter is clean."),
         ["warning verification claims[0]", "warning verification claims[0]"]),
        ("in the handoff", run(handoff=Handoff(status="done, all tests pass", next_action="merge")),
         ["warning verification handoff"]),
        ("a long sentence", said("All tests pass " + "and more " * 30), ["warning verification claims[0]"]),
        ("result unknown", said("All tests pass", cmd(result="unknown", exit_code=None)),
         ["info capture claims[0] c1"]),
        ("arguments not recorded", said("All tests pass", tool_calls=(ToolCalls(name="bash", calls=2),), capture=DUMB),
         ["info capture claims[0]"]),
        ("another command passed", said("All tests pass", cmd(command="git status")),
         ["warning verification claims[0]"]),
    ],
    "contradicted-claim": [
        ("the last test command failed", said("All tests pass", cmd(), cmd(2, **FAILED)),
         ["error verification claims[0] c2"]),
        ("the last check failed", said("All tests pass", cmd(**FAILED), verifications=(derived("fail"),)),
         ["error verification claims[0] c1"]),
        ("another number", said("142 passed", cmd(), verifications=(derived(counts=Counts(passed=141)),)),
         ["error verification claims[0] c1"]),
        ("a declared check failed", said("`unit` tests pass", cmd(**FAILED), verifications=(check("fail", kind=None),)),
         ["error verification claims[0] v1"]),
        ("in the handoff",
         run(handoff=Handoff(status="done, all tests pass", next_action="merge"), commands=(cmd(**FAILED),)),
         ["error verification handoff c1"]),
    ],
    "failure-not-resolved": [
        ("a command", run(failures=(Failure(id="f1", command="pytest -q", error="1 failed"),)),
         ["warning implementation f1"]),
        ("again and again", run(failures=tuple(Failure(id=f"f{n}", command="pytest", error="x") for n in (1, 2, 3))),
         ["warning implementation f1 f2 f3"]),
        ("said by the agent", run(failures=(Failure(id="f1"),)), ["warning implementation f1"]),
        ("a tool", run(failures=(Failure(id="f1", tool="read_file", error_type="OSError", source="observed"),)),
         ["info implementation f1"]),
        ("handed on", run(failures=(Failure(id="f1", command="pytest"),), handoff=Handoff(blockers=("e2e",))),
         ["info implementation f1"]),
        ("no handoff", run(failures=(Failure(id="f1", command="pytest"),), handoff=None),
         ["warning implementation f1"]),
    ],
    "decision-without-alternatives": [
        ("none", run(decisions=(Decision(option="wait"),)), ["warning judging decisions[0]"]),
        ("read off a text", run(decisions=(Decision(option="wait", source="inferred"),)),
         ["info judging decisions[0]"]),
        ("no reason", run(decisions=(Decision(option="wait", alternatives=(Alternative(option="retry"),)),)),
         ["warning judging decisions[0]"]),
    ],
    "unread-edit": [
        ("never read", run(changed_files=(change("b.py", read_before=False),), files_inspected=READ),
         ["warning context b.py"]),
        ("deleted unread", run(changed_files=(change("b.py", read_before=False, operation="delete"),),
         files_inspected=READ), ["warning context b.py"]),
        ("changed by a command", run(changed_files=(change("b.lock", read_before=False, source=("git",)),),
         files_inspected=READ), ["info context b.lock"]),
        ("no reads recorded", run(changed_files=(change("a", read_before=False), change("b", read_before=False))),
         ["info capture a b"]),
        ("reads may be missing",
         run(changed_files=(change("b.py", read_before=False),), files_inspected=READ, capture=DUMB),
         ["info capture b.py"]),
    ],
    "out-of-scope": [
        ("outside", run(task=Task(scope=("src/**",)), changed_files=(change("setup.py"),)),
         ["warning harness rules setup.py"]),
        ("moved out", run(task=Task(scope=("src/**",)), changed_files=(change("a.py", old_path="src/a.py"),)),
         ["warning harness rules a.py"]),
        ("moved from outside", run(task=Task(scope=("src/**",)), changed_files=(change("src/a.py", old_path="a.py"),)),
         ["warning harness rules src/a.py"]),
        ("excluded", run(task=Task(scope=("src/**",), exclusions=("dashboard",)),
         changed_files=(change("src/dashboard/a.ts"),)), ["warning harness rules src/dashboard/a.ts"]),
        ("scope partly prose", run(task=Task(scope=("src/**", "and its tests")), changed_files=(change("t/a.py"),)),
         ["info harness rules t/a.py"]),
    ],
    "off-limits": [
        ("changed", run(task=Task(off_limits=(".github/**",)), changed_files=(change(".github/ci.yml"),)),
         ["error hooks .github/ci.yml"]),
        ("read", run(task=Task(off_limits=(".env",)), files_inspected=(FileInspected(path=".env", reason="x"),)),
         ["warning hooks .env"]),
    ],
    "wrong-branch": [
        ("main", run(task=Task(branch="fix/*"), base=Base(branch="main")), ["warning harness rules task"]),
    ],
    "gate-denied": [
        ("denied", run(gates=(Gate(tool="read", outcome="allow"), Gate(tool="shell", outcome="deny"))),
         ["info harness rules gates[1]"]),
        ("by policy", run(gates=(Gate(tool="shell", outcome="deny", policy="no-net", reason="curl"),)),
         ["info harness rules gates[0]"]),
        ("a command, told by its gate and by itself",
         run(gates=(Gate(tool="shell", outcome="deny", span="t/s"),), commands=(cmd(result="denied", span="t/s"),)),
         ["info harness rules gates[0] c1"]),
        ("a command, without a gate", run(commands=(cmd(result="denied"),)), ["info harness rules c1"]),
    ],
    "budget-exceeded": [
        ("flagged", run(budgets={"steps": Budget(exceeded=True)}), ["warning harness rules budgets.steps"]),
        ("by the numbers", run(budgets={"tokens": Budget(limit=10, consumed=11)}),
         ["warning harness rules budgets.tokens"]),
    ],
    "post-handoff-regression": [
        ("passed, and failed in CI", run(commands=(cmd(),), verifications=(check(), late("fail"))),
         ["error release process v2 v1"]),
        ("passed on an older tree", run(commands=(cmd(tree="0"),), verifications=(check(), late("fail"))),
         ["error verification v2 v1"]),
    ],
    "failing-late-check": [
        ("never ran", run(verifications=(late("fail", 1),)), ["warning implementation v1"]),
        ("failed before", run(commands=(cmd(**FAILED),), verifications=(check("fail", required=False), late("fail"))),
         ["warning implementation v2"]),
    ],
    "no-handoff": [
        ("own dialect", run(handoff=None, agent=OWN), ["warning handoff "]),
        ("other dialect", run(handoff=None, agent=Agent(dialect="genai")), ["info handoff "]),
        ("killed", run(handoff=None, lifecycle="abandoned", outcome="interrupted", agent=OWN), ["warning handoff "]),
    ],
    "only-summary": [
        ("a message", said("Fixed it.", handoff=None, agent=OWN), ["warning handoff claims[0]"]),
        ("a handoff", run(agent=OWN), ["warning handoff handoff"]),
        ("a message and a claimed check",
         said("Fixed it.", verifications=(check(evidence=(), required=False),), agent=OWN),
         ["warning handoff handoff claims[0]"]),
        ("model calls alone", said("Fixed it.", handoff=None, agent=Agent(dialect="genai")),
         ["info capture claims[0]"]),
    ],
    "event-field-missing": [
        ("every event", run(
            task=Task(missing=("objective",)),
            files_inspected=(FileInspected(path="a.py", missing=("reason",)),),
            commands=(cmd(missing=("duration",)),),
            failures=(Failure(id="f1", resolved_by="c1", missing=("error", "suspected_cause")),),
            decisions=(Decision(option="x", missing=("option", "alternatives")),),
            verifications=(check(missing=("evidence",)),),
            handoff=Handoff(missing=("status",)),
        ), [f"warning capture {ref}" for ref in ("task", "a.py", "c1", "f1", "decisions[0]", "v1", "handoff")]),
    ],
    "secret-redacted": [
        ("two", run(capture=Capture(root_seen=True, complete=True, redactions=2)), ["info hooks capture"]),
    ],
    "incomplete-capture": [
        ("killed", run(lifecycle="abandoned", capture=Capture(open_spans=(OpenSpan(span="t/s", name="x"),))),
         ["warning capture capture"]),
        ("dropped", run(capture=LOSSY), ["warning capture capture"]),
        ("without a reason", run(capture=Capture(root_seen=True)), ["warning capture capture"]),
        ("cut", run(capture=Capture(root_seen=True, complete=True, truncated=True)), ["warning capture capture"]),
        ("not understood", run(capture=Capture(root_seen=True, complete=True, unrecognised=3)),
         ["warning capture capture"]),
        ("a source that shows less", run(capture=DUMB), ["info capture capture"]),
    ],
}  # fmt: skip

SILENT = {
    "missing-required-check": [
        run(commands=(cmd(),), verifications=(check(),), task=CONTRACT),
        run(verifications=(skipped(required=False),)),
        run(task=CONTRACT, **OPEN),
    ],
    "failing-required-check": [
        run(commands=(cmd(**FAILED),), verifications=(check("fail", required=False),)),
        run(commands=(cmd(**FAILED, tree="0"), cmd(2)), verifications=(check("fail"), check(id="v2"))),
    ],
    "post-handoff-regression": [
        run(commands=(cmd(),), verifications=(check(), late("pass"))),
        run(commands=(cmd(),), verifications=(check(), late("fail", tree="0"))),
        run(commands=(cmd(**FAILED),), verifications=(check("fail"), late("fail"))),
    ],
    "failing-late-check": [
        run(commands=(cmd(),), verifications=(check(), late("fail"))),
        run(commands=(cmd(**FAILED),), verifications=(check("fail"), late("fail"))),
        run(verifications=(late("pass", 1),)),
    ],
    "contradicted-verification": [run(commands=(cmd(),), verifications=(check(),))],
    "stale-verification": [run(commands=(cmd(),), verifications=(check(),))],
    "claim-without-command": [
        run(commands=(cmd(),), verifications=(check(),)),
        said("All tests pass.", cmd()),
        said("`make ci`: all tests pass", cmd(command="make ci")),
        said("The tests do not pass yet."),
        said("Not all tests pass; 3 fail."),
        said("Next: make sure the tests pass"),
        said("Once the tests pass, merge."),
        said("Build failed, tests didn't pass"),
        said("I passed the test data to the parser"),
        run(handoff=None),
        run(handoff=Handoff(status="patch with blocker")),
    ],
    "contradicted-claim": [
        said("All 4 tests pass.", cmd(), verifications=(derived(counts=Counts(passed=4)),)),
        said("All tests pass.", cmd(), verifications=(derived(),)),
        said("All 4 tests pass.", cmd(tree="0"), verifications=(derived(),)),
        said("The linter is clean.", cmd(**FAILED), verifications=(derived("fail"),)),
        said("All tests pass.", verifications=(skipped(),)),
    ],
    "failure-not-resolved": [
        run(failures=(Failure(id="f1", command="pytest", resolved_by="c2"),)),
        run(failures=(Failure(id="f1", tool="shell", error_type="denied"),)),
        run(failures=(Failure(id="f1", command="pytest"),), **OPEN),
    ],
    "decision-without-alternatives": [
        run(decisions=(Decision(option="wait", alternatives=(Alternative(option="retry", reason="races"),)),)),
    ],
    "unread-edit": [
        run(changed_files=(change("a.py"),)),
        run(changed_files=(change("new.py", operation="create", read_before=False),), files_inspected=READ),
        run(changed_files=(change("a.py", read_before=None),)),
    ],
    "out-of-scope": [
        run(task=Task(scope=("src/**",), exclusions=("dashboard",)), changed_files=(change("src/a.py"),)),
        run(task=Task(scope=("only the login page",), exclusions=("all the rest",)), changed_files=(change("a.py"),)),
        run(changed_files=(change("a.py"),)),
    ],
    "off-limits": [
        run(task=Task(off_limits=(".github/**",)), changed_files=(change("src/a.py"),), files_inspected=READ),
    ],
    "wrong-branch": [
        run(task=Task(branch="fix/*"), base=Base(branch="fix/invite-403")),
        run(task=Task(branch="fix/*")),
        run(base=Base(branch="main")),
    ],
    "gate-denied": [run(gates=(Gate(tool="shell", outcome="require_approval"),)), run(commands=(cmd(**FAILED),))],
    "budget-exceeded": [run(budgets={"steps": Budget(limit=10, consumed=10), "tokens": Budget(consumed=5)})],
    "no-handoff": [
        run(agent=OWN),
        run(handoff=None, agent=OWN, **OPEN),
        run(handoff=None, agent=OWN, parent_run="p"),
        run(handoff=None),
    ],
    "only-summary": [
        run(commands=(cmd(),), agent=OWN),
        run(files_inspected=READ, agent=OWN),
        run(tool_calls=(ToolCalls(name="bash", calls=1),), agent=OWN),
        run(handoff=None, agent=OWN),
        run(agent=OWN, **OPEN),
    ],
    "event-field-missing": [run(decisions=(Decision(option="x", missing=("alternatives",)),)), run(handoff=None)],
    "secret-redacted": [run()],
    "incomplete-capture": [run(), run(capture=Capture(), **OPEN)],
}


def said_by(rule: str, record: RunRecord) -> list[Finding]:
    """What one rule says about a record, after judging all of it."""
    return [finding for finding in judge(record).findings if finding.rule == rule]


@pytest.mark.parametrize(
    ("rule", "record", "expected"),
    [
        pytest.param(rule, record, expected, id=f"{rule}: {name}")
        for rule, cases in SPEAKS.items()
        for name, record, expected in cases
    ],
)
def test_rule_speaks(rule: str, record: RunRecord, expected: list[str]) -> None:
    """What happened is found, with its weight, the layer to repair, and the entries it is about."""
    found = said_by(rule, record)
    assert [f"{each.severity} {each.layer} {' '.join(each.refs)}" for each in found] == expected
    assert all(each.message for each in found)


@pytest.mark.parametrize(
    ("rule", "record"),
    [pytest.param(rule, record, id=f"{rule} {n}") for rule, cases in SILENT.items() for n, record in enumerate(cases)],
)
def test_rule_is_silent(rule: str, record: RunRecord) -> None:
    """Nothing is said where nothing is wrong, or where the telemetry cannot show it."""
    assert said_by(rule, record) == []


def test_every_rule_has_a_case_that_speaks_and_one_that_is_silent() -> None:
    """A rule added to the table without tests is noticed."""
    known = {rule.id for rule in RULES}
    assert set(SPEAKS) == set(SILENT) == known
    assert len(known) == len(RULES)


def test_every_rule_says_what_it_is_about() -> None:
    """The table is also the documentation."""
    assert all(rule.summary and rule.example and rule.remedy for rule in RULES)


def test_messages_name_the_command_and_its_result() -> None:
    """A finding reads without the record beside it."""
    record = run(commands=(cmd(**FAILED, duration_s=8.1),), verifications=(check("fail"),), budgets={
        "steps": Budget(limit=40, consumed=43, exceeded=True)})  # fmt: skip
    messages = {finding.rule: finding.message for finding in judge(record).findings}
    assert messages["failing-required-check"] == "required check 'unit' failed: pytest -q: failed (exit 1, 8.1 s)"
    assert messages["budget-exceeded"] == "budget 'steps' was exceeded: limit 40, consumed 43"


def test_findings_of_one_rule_are_bounded() -> None:
    """A record stays an index: what is past the bound is counted."""

    def notices(record: RunRecord) -> Iterator[Notice]:
        yield from (Notice(str(number)) for number in range(MOST_PER_RULE + 3))

    rule = Rule(id="x", severity="info", layer="tests", summary="s", example="e", remedy="r", check=notices)
    found = list(findings([rule], run()))
    assert len(found) == MOST_PER_RULE + 1
    assert found[-1].message == "and 3 more findings of this rule"


def test_clean_run_has_no_findings() -> None:
    """A run that did everything right is left in peace."""
    record = run(
        task=CONTRACT,
        context_sources=(ContextSource(name="ADR-029"),),
        files_inspected=READ,
        changed_files=(change("a.py"),),
        commands=(cmd(),),
        verifications=(check(),),
    )
    judged = judge(record)
    assert (judged.findings, judged.review_state, judged.final_status) == ((), "done", "ready")
