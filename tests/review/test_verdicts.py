"""What a verification is worth, case by case."""

from __future__ import annotations

import msgspec
import pytest

from agent_otel.model.record import (
    Capture,
    ChangedFile,
    Check,
    Command,
    Final,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.review.ground import ground
from agent_otel.review.verdicts import judgement

EARLY, EDIT, LATE = "2026-05-18T09:00:00.000Z", "2026-05-18T09:05:00.000Z", "2026-05-18T09:10:00.000Z"
WHOLE = Capture(root_seen=True, complete=True)
FINAL = Final(tree="f" * 40)


def ran(number: int, **fields) -> Command:
    """A command seen to pass on the final tree, unless ``fields`` say otherwise."""
    known = {"command": "pytest -q", "result": "passed", "exit_code": 0, "observer": "harness", "tree": "f" * 40}
    return Command(id=f"c{number}", **{**known, **fields})


def check(outcome: str = "pass", evidence: tuple[str, ...] = ("c1",), **fields) -> Verification:
    """A declared pass of ``unit`` on the evidence of ``c1``, unless ``fields`` say otherwise."""
    known = {"id": "v1", "check": "unit", "outcome": outcome, "level": "observed", "evidence": evidence}
    return Verification(**{**known, **fields})


def record(*commands: Command, **fields) -> RunRecord:
    """A finished run with a whole capture and a known final tree."""
    known = {"run_id": "r", "lifecycle": "settled", "outcome": "ended", "capture": WHOLE, "final": FINAL}
    return RunRecord(**{**known, "commands": commands, **fields})


def edited(**fields) -> tuple[ChangedFile, ...]:
    """One file, edited at nine past five."""
    return (ChangedFile(**{"path": "a.py", "operation": "edit", "last_edit": EDIT, **fields}),)


OTHER = {"tree": "0" * 40}
NO_TREE = {"tree": None}
DEMANDS = Task(required_checks=(Check(name="unit", command="pytest *"),))

CASES = {
    # proved
    "passed on the final tree": (record(ran(1)), check(), "proved"),
    "evidence is named by command_id alone": (record(ran(1)), check(evidence=(), command_id="c1"), "proved"),
    "observed at any higher level": (record(ran(1, observer=None)), check(level="attested"), "proved"),
    "equal trees beat the clock": (record(ran(1, started=EARLY), changed_files=edited()), check(), "proved"),
    "no tree, started after the last edit": (
        record(ran(1, tree=None, started=LATE), changed_files=edited()), check(), "proved"),
    "no tree, started at the very moment of the edit": (
        record(ran(1, tree=None, started=EDIT), changed_files=edited()), check(), "proved"),
    "no tree, nothing was edited": (record(ran(1, tree=None), final=Final()), check(), "proved"),
    "stale evidence, rerun on the final tree": (record(ran(1, **OTHER), ran(2)), check(), "proved"),
    "the failed run cited beside the later pass": (
        record(ran(1, result="failed", exit_code=1, **OTHER), ran(2)), check(evidence=("c2", "c1")), "proved"),
    "declared failed, rerun passed on the final tree": (
        record(ran(1, result="failed", exit_code=1, **OTHER), ran(2)), check("fail"), "proved"),
    "matches the contract": (record(ran(1), task=DEMANDS), check(), "proved"),
    "evidence of one of two files": (record(ran(1)), check(evidence=("c1", "report.xml")), "proved"),
    "derived, on the final tree": (record(ran(1)), check(derived=True), "proved"),
    "derived, by its counts, though its line failed": (
        record(ran(1, result="failed", exit_code=1)), check(derived=True, reason="by its counts"), "proved"),
    "derived, failed by its counts, though its line passed": (
        record(ran(1)), check("fail", derived=True, reason="its output counts 1"), "failed"),
    "derived, of unknown end": (record(ran(1)), check("unknown", derived=True), "unverifiable"),
    "derived, its command cut from the record": (record(), check(derived=True), "unverifiable"),
    "derived, as the agent reports it": (record(ran(1, observer="agent")), check(derived=True), "claimed"),
    "derived, and then edited": (
        record(ran(1, tree=None, started=EARLY), changed_files=edited()), check(derived=True), "stale"),
    "derived, where the order is lost": (
        record(ran(1, tree=None, started=LATE), changed_files=edited(),
               capture=Capture(root_seen=True, complete=True, limits=("unordered",))),
        check(derived=True), "unverifiable"),
    "derived, where only costs are untold": (
        record(ran(1, tree=None, started=LATE), changed_files=edited(),
               capture=Capture(root_seen=True, complete=True, limits=("costs-untold",))),
        check(derived=True), "proved"),
    # stale
    "passed on another tree": (record(ran(1, **OTHER)), check(), "stale"),
    "rerun on another tree as well": (record(ran(1), ran(2, **OTHER)), check(), "stale"),
    "no tree, started before the last edit": (
        record(ran(1, tree=None, started=EARLY), changed_files=edited()), check(), "stale"),
    "no tree, one of the edits known to be later": (
        record(ran(1, tree=None, started=EARLY), changed_files=(*edited(), *edited(path="b.py", last_edit=None))),
        check(), "stale"),
    "one of two commands stale": (
        record(ran(1), ran(2, command="mypy", **OTHER)), check(evidence=("c1", "c2")), "stale"),
    # contradicted
    "the evidence failed": (record(ran(1, result="failed", exit_code=1)), check(), "contradicted"),
    "the evidence timed out": (record(ran(1, result="timed_out", exit_code=None)), check(), "contradicted"),
    "the evidence was denied": (record(ran(1, result="denied", exit_code=None)), check(), "contradicted"),
    "said passed, exit code 2": (record(ran(1, exit_code=2)), check(), "contradicted"),
    "another command than the contract's": (
        record(ran(1, command="echo ok"), task=DEMANDS), check(), "contradicted"),
    # failed
    "declared failed": (record(ran(1, result="failed", exit_code=1)), check("fail"), "failed"),
    "declared failed without evidence": (record(), check("fail", ()), "failed"),
    "declared failed though the command passed": (record(ran(1)), check("fail"), "failed"),
    "declared failed, the rerun stale": (
        record(ran(1, result="failed", exit_code=1), ran(2, **OTHER)), check("fail"), "failed"),
    "declared failed, the rerun failed": (
        record(ran(1, result="failed", exit_code=1), ran(2, result="failed", exit_code=1)), check("fail"), "failed"),
    "passed, the rerun failed": (record(ran(1), ran(2, result="failed", exit_code=1)), check(), "failed"),
    "outcome unknown, the evidence failed": (
        record(ran(1, result="failed", exit_code=1)), check("unknown"), "failed"),
    # claimed
    "no evidence": (record(ran(1)), check(evidence=()), "claimed"),
    "reported by the agent": (record(ran(1, observer="agent")), check(), "claimed"),
    "nobody says who saw it": (record(ran(1, observer=None)), check(level=None), "claimed"),
    # not_run
    "not run": (record(ran(1)), check("not_run", ()), "not_run"),
    # unverifiable
    "outcome unknown": (record(ran(1)), check("unknown"), "unverifiable"),
    "evidence is a file": (record(), check(evidence=("report.xml",)), "unverifiable"),
    "evidence is a command that was lost": (record(), check(evidence=(), command_id="c9"), "unverifiable"),
    "result of the evidence unknown": (
        record(ran(1, result="unknown", exit_code=None)), check(), "unverifiable"),
    "no tree and an edit without a time": (
        record(ran(1, tree=None, started=LATE), changed_files=edited(last_edit=None)), check(), "unverifiable"),
    "no tree and an edit with a broken time": (
        record(ran(1, tree=None, started=LATE), changed_files=edited(last_edit="yesterday")), check(), "unverifiable"),
    "no tree and an edit with a local time": (
        record(ran(1, tree=None, started=LATE), changed_files=edited(last_edit="2026-05-18T09:05:00")),
        check(), "unverifiable"),
    "no tree and no start": (record(ran(1, tree=None), changed_files=edited()), check(), "unverifiable"),
    "no tree and an incomplete capture": (
        record(ran(1, tree=None, started=LATE), changed_files=edited(), capture=Capture()), check(), "unverifiable"),
    "no tree and a source that cannot show edits": (
        record(ran(1, tree=None), capture=Capture(complete=True, limits=("content-off",))), check(), "unverifiable"),
    "the command line the contract names was masked": (
        record(ran(1, command="TOKEN=[REDACTED:secret:00000000] pytest -q"), task=DEMANDS), check(), "unverifiable"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "verification", "verdict"), CASES.values(), ids=CASES)
def test_verdict(run: RunRecord, verification: Verification, verdict: str) -> None:
    """The record alone decides what a verification is worth."""
    judged = judgement(verification, ground(run))
    assert judged.verdict == verdict
    assert judged.reason


def test_verdict_brought_by_telemetry_is_ignored() -> None:
    """A verification cannot declare itself proved."""
    lying = msgspec.structs.replace(check(evidence=()), verdict="proved", verdict_reason="trust me")
    assert judgement(lying, ground(record())).verdict == "claimed"


def test_reasons_name_the_command_and_its_result() -> None:
    """A reader sees which run decided, never "tests pass"."""
    proved = judgement(check(), ground(record(ran(1, duration_s=8.1))))
    assert proved.reason == "pytest -q: passed (exit 0, 8.1 s), on the final tree"
    stale = judgement(check(), ground(record(ran(1, **OTHER))))
    assert stale.reason == "pytest -q: passed (exit 0), but on tree 000000000000; the final tree is ffffffffffff"
    failed = judgement(check("fail"), ground(record(ran(1, result="failed", exit_code=1))))
    assert failed.reason == "pytest -q: failed (exit 1)"
    assert judgement(check("fail", (), reason="3 regressions"), ground(record())).reason == "3 regressions"
    assert judgement(check("not_run", (), reason="no browser"), ground(record())).reason == "no browser"
