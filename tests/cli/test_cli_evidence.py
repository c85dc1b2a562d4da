"""``agent-otel evidence add``: what CI saw, brought to a run that has ended."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.service.fold import fold_due
from agent_otel.service.local import LocalReceiver
from agent_otel.store.open import open_store
from agent_otel.store.sqlite import SqliteStore

START_S = 1_779_095_523
TREE, COMMIT = "9d1c" * 10, "8f2c" * 10
FAILED = """<testsuite tests="3"><testcase classname="t" name="a"/><testcase classname="t" name="b"/>
<testcase name="token=ghp_abcdefghijklmnopqrstuvwxyz0123456789AB"><failure>no</failure></testcase>
</testsuite>"""
PASSED = """<testsuite tests="1"><testcase classname="t" name="a"/></testsuite>"""
Invoke = Callable[..., Result]


def finished(run_id: str, *, commit: str = COMMIT, tree: str = TREE) -> dict[str, Any]:
    """The event that says on which state a run ended, with one check that it ran itself."""

    def entry(name: str, value: Any) -> dict[str, Any]:
        return {"key": name, "value": {"boolValue": value} if isinstance(value, bool) else {"stringValue": value}}

    said = {names.FINAL_COMMIT: commit, names.FINAL_TREE: tree, names.FINAL_DIRTY: False}
    check = {names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "pass"}
    records = [
        {"timeUnixNano": str((START_S + 1) * 10**9), "eventName": name,
         "attributes": [entry(key, value) for key, value in {names.RUN_ID: run_id, **more}.items()]}
        for name, more in ((names.RUN_FINISHED, said), (names.VERIFICATION_RAN, check))
    ]  # fmt: skip
    return {"resourceLogs": [{"scopeLogs": [{"scope": {"name": names.SCOPE}, "logRecords": records}]}]}


@pytest.fixture
def runs(tmp_path: Path, invoke: Invoke, telemetry: Any, lines: Any) -> Path:
    """A database with one run that ended on a clean commit."""
    (tmp_path / "in.jsonl").write_bytes(lines(telemetry("run-1"), finished("run-1")))
    assert invoke("compact", tmp_path / "in.jsonl", "--db", tmp_path / "runs.db").exit_code == 0
    return tmp_path / "runs.db"


def shown(invoke: Invoke, *where: str | Path) -> dict[str, Any]:
    """The record of the run."""
    result = invoke("show", "run-1", "--json", *where)
    assert result.exit_code == 0, result.stderr
    record: dict[str, Any] = json.loads(result.stdout)
    return record


def late(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Its verifications that were added."""
    return [each for each in record["verifications"] if "added" in each]


def test_a_failing_report_becomes_a_regression(runs: Path, invoke: Invoke, tmp_path: Path) -> None:
    """With numbers, names, digest, who and when; no secret and no content of the file. The run had only its word."""
    (tmp_path / "junit.xml").write_text(FAILED)
    (tmp_path / "out.log").write_text(
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n1 failed, 2 passed in 3s\n"
    )
    before = shown(invoke, "--db", runs)
    result = invoke(
        "evidence", "add", "run-1", "--check", "unit", "--junit", "junit.xml", "--log", "out.log", "--exit-code", "1",
        "--by", "build-bot", "--at", "2026-05-18T10:00:00Z", "--commit", COMMIT, "--db", runs,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "unit: fail: added to run run-1\n"
    record = shown(invoke, "--db", runs)
    (found,) = late(record)
    assert (found["verdict"], found["level"], found["outcome"]) == ("failed", "attested", "fail")
    assert found["counts"] == {"passed": 2, "failed": 1, "skipped": 0, "errors": 0}
    assert [file["path"] for file in found["files"]] == ["junit.xml", "out.log"]
    assert all(len(file["sha256"]) == 64 for file in found["files"])
    added = found["added"]
    assert (added["source"], added["by"], added["at"]) == ("ci", "build-bot", "2026-05-18T10:00:00.000Z")
    assert "1 failed, 2 passed" in added["tail"]
    assert "wJalr" not in json.dumps(record)
    assert "ghp_" not in json.dumps(record)
    (regression,) = [each for each in record["findings"] if each["rule"] == "post-handoff-regression"]
    assert (regression["severity"], regression["layer"]) == ("error", "verification")
    assert record["revision"] == before["revision"] + 1
    assert record["capture"] == before["capture"]
    told = " ".join(invoke("show", "run-1", "--db", runs).stdout.split())
    assert "ci (build-bot), 2026-05-18T10:00:00.000Z: exit 1, 2 passed, 1 failed" in told


def test_the_same_evidence_twice_changes_nothing(runs: Path, invoke: Invoke, tmp_path: Path) -> None:
    """Whoever adds it again, and whenever."""
    (tmp_path / "junit.xml").write_text(PASSED)
    asked = ("evidence", "add", "run-1", "--check", "e2e", "--junit", "junit.xml", "--tree", TREE, "--db", runs)
    assert invoke(*asked, "--by", "one").exit_code == 0
    before = shown(invoke, "--db", runs)
    again = invoke(*asked, "--by", "other", "--json")
    assert json.loads(again.stdout)["state"] == "known"
    assert shown(invoke, "--db", runs) == before
    assert late(before)[0]["verdict"] == "proved"


OUTCOMES = {
    "an exit code": (["--exit-code", "0"], "pass"),
    "an exit code that is bad": (["--exit-code", "3"], "fail"),
    "a log that counts": (["--log", "good.log"], "pass"),
    "a log that fails": (["--log", "bad.log"], "fail"),
    "a log that says nothing": (["--log", "mute.log"], "unknown"),
    "an exit code against a report": (["--exit-code", "0", "--junit", "bad.xml"], "fail"),
    "an exit code against a log": (["--exit-code", "0", "--log", "bad.log"], "fail"),
    "two reports": (["--junit", "good.xml", "--junit", "bad.xml"], "fail"),
    "a report without tests": (["--junit", "empty.xml"], "unknown"),
    "coverage beside it": (["--exit-code", "0", "--coverage", "cover.out"], "pass"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_what_came_of_a_check(runs: Path, invoke: Invoke, tmp_path: Path, case: str) -> None:
    """Whatever tells of a failure decides; a pass takes one who says so."""
    arguments, outcome = OUTCOMES[case]
    files = {
        "good.log": "===== 3 passed in 1.2s =====\n", "bad.log": "===== 1 failed, 3 passed in 1.2s =====\n",
        "mute.log": "done\n", "bad.xml": FAILED, "good.xml": PASSED, "empty.xml": "<testsuite/>",
        "cover.out": "mode: set\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 0\n",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    result = invoke("evidence", "add", "last", "--check", "x", *arguments, "--db", runs, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["evidence"][names.VERIFICATION_OUTCOME] == outcome
    (found,) = late(shown(invoke, "--db", runs))
    assert found["outcome"] == outcome
    if case == "coverage beside it":
        assert found["added"]["coverage"] == 75.0


def git(folder: Path, *arguments: str) -> str:
    """Output of git with an identity of its own."""
    who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_git_completes_what_the_commit_is(tmp_path: Path, invoke: Invoke, telemetry: Any, lines: Any) -> None:
    """Its whole id, its tree, and whether it is a merge of what the run left."""
    for number, branch in enumerate(("main", "fix", "other")):
        git(tmp_path, *(("init", "-q", "-b", branch) if not number else ("checkout", "-q", "-b", branch, "main")))
        (tmp_path / f"{branch}.txt").write_text(branch)
        git(tmp_path, "add", f"{branch}.txt")
        git(tmp_path, "commit", "-q", "-m", branch)
    left = git(tmp_path, "rev-parse", "fix")
    git(tmp_path, "merge", "-q", "--no-edit", "fix")
    merge = git(tmp_path, "rev-parse", "HEAD")
    tree = git(tmp_path, "rev-parse", "fix^{tree}")
    (tmp_path / "in.jsonl").write_bytes(lines(telemetry("run-1"), finished("run-1", commit=left, tree=tree)))
    assert invoke("compact", "in.jsonl", "--db", "runs.db").exit_code == 0
    add = ("evidence", "add", "run-1", "--check", "unit", "--db", "runs.db")
    assert invoke(*add, "--exit-code", "0", "--commit", left[:9]).exit_code == 0
    assert invoke(*add, "--exit-code", "1", "--commit", merge).exit_code == 0
    on_commit, on_merge = late(shown(invoke, "--db", "runs.db"))
    assert (on_commit["added"]["commit"], on_commit["tree"], on_commit["verdict"]) == (left, tree, "proved")
    assert (on_merge["added"]["merge_of"], on_merge["verdict"]) == (left, "failed")


MISUSE = {
    "nothing came of it": (["--coverage", "j.xml"], 2, "expected --junit, --exit-code or --log"),
    "two places": (
        ["--exit-code", "0", "--db", "x", "--endpoint", "http://127.0.0.1:9"],
        2,
        "one of --db and --endpoint",
    ),
    "no id of git": (["--exit-code", "0", "--tree", "HEAD"], 2, "expected 7 to 64 hexadecimal digits"),
    "no JUnit": (["--junit", "j.xml"], 1, "j.xml: expected a report of the form junit"),
    "no endpoint": (["--exit-code", "0", "--endpoint", "ftp://x"], 2, "expected the URL of an endpoint"),
    "nobody there": (["--exit-code", "0", "--endpoint", "http://127.0.0.1:9"], 1, "does not answer"),
}


@pytest.mark.parametrize("case", MISUSE)
def test_what_cannot_be_added_is_said(runs: Path, invoke: Invoke, tmp_path: Path, case: str) -> None:
    """With the exit codes of misuse and failure."""
    arguments, status, message = MISUSE[case]
    (tmp_path / "j.xml").write_text("hello")
    where = [] if "--db" in arguments or "--endpoint" in arguments else ["--db", runs]
    result = invoke("evidence", "add", "run-1", "--check", "unit", *arguments, *where)
    assert result.exit_code == status
    assert message in result.stderr.replace("\n", " ")


def test_a_run_that_is_not_there_is_an_error_with_the_nearest(runs: Path, invoke: Invoke) -> None:
    """Nothing is kept for a run that nobody knows."""
    result = invoke("evidence", "add", "rum-1", "--check", "unit", "--exit-code", "0", "--db", runs)
    assert result.exit_code == 1
    assert "no run 'rum-1'; the nearest are: run-1" in result.stderr
    with closing(SqliteStore(runs)) as store:
        assert store.stats().due == 0


def test_a_run_cannot_attest_itself(runs: Path, invoke: Invoke) -> None:
    """What happens inside of a run is recorded there."""
    asked = ("evidence", "add", "run-1", "--check", "unit", "--exit-code", "0", "--db", runs)
    result = invoke(*asked, **{names.ENV_RUN: "run-1"})
    assert result.exit_code == 2
    assert "use agent-otel exec" in result.stderr
    assert invoke(*asked, **{names.ENV_RUN: "run-of-a-reviewer"}).exit_code == 0


def test_it_is_sent_by_otlp(runs: Path, invoke: Invoke) -> None:
    """To a receiver that commits before it answers; there it is folded into the run."""
    with closing(SqliteStore(runs)) as store:
        receiver = LocalReceiver(store, tuple)
        try:
            result = invoke(
                "evidence", "add", "run-1", "--check", "unit", "--exit-code", "1", "--commit", COMMIT,
                "--endpoint", receiver.endpoint,
            )  # fmt: skip
        finally:
            receiver.close()
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "unit: fail: sent for run run-1\n"
    assert late(shown(invoke, "--db", runs))[0]["verdict"] == "failed"


def test_postgresql_takes_it_and_its_processors_fold_it(runs: Path, invoke: Invoke, postgres_url: str) -> None:
    """The command leaves the folding to those whose work it is."""
    with closing(SqliteStore(runs)) as store, closing(open_store(postgres_url)) as copy:
        copy.put(store.run_items("run-1"))
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
    asked = (
        "evidence",
        "add",
        "run-1",
        "--check",
        "unit",
        "--exit-code",
        "1",
        "--commit",
        COMMIT,
        "--db",
        postgres_url,
    )
    assert "its processors fold it" in invoke(*asked).stdout
    with closing(open_store(postgres_url)) as copy:
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
        record = copy.record("run-1")
    assert record is not None
    assert record.verifications[-1].verdict == "failed"
    assert "has this evidence already" in invoke(*asked).stdout
