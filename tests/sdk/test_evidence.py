"""Files as evidence: what is told of them, that nothing in them is, and what a record makes of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agent_otel
from agent_otel.model import names
from agent_otel.model.record import LARGEST_EVIDENCE
from agent_otel.review.judge import judge
from agent_otel.sdk.evidence import MOST_FILES, bound
from agent_otel.testing import record_runs

REPORT = "<testsuite><testcase name='sw0rdfish'/></testsuite>"
DIGEST = hashlib.sha256(REPORT.encode()).hexdigest()
WRITES = [sys.executable, "-c", f"open('report.xml', 'w').write({REPORT!r})"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch) -> Path:
    """A repository with a report in it, in which the program works."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.xml").write_text(REPORT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(recorded, check: str):
    """The verification of this check in the only record."""
    (record,) = recorded.records
    (found,) = [each for each in record.verifications if each.check == check]
    return found


def test_a_file_among_the_evidence_is_bound_by_its_digest(repo: Path) -> None:
    """Path, size, age and digest are told, and nothing of what is in it; its name is that in the repository."""
    os.utime(repo / "out" / "report.xml", (1_779_095_523.25, 1_779_095_523.25))
    with record_runs() as recorded, agent_otel.run("Fix it", agent="fixer") as run:
        ran = run.command([sys.executable, "-c", "pass"])
        run.verification("unit", evidence=[ran, repo / "out" / "report.xml"])
        run.verification("lint", evidence="out/report.xml", passed=True)
    for check in (of(recorded, "unit"), of(recorded, "lint")):
        (file,) = check.files
        assert (file.path, file.sha256, file.bytes) == ("out/report.xml", DIGEST, len(REPORT))
        assert file.modified == "2026-05-18T09:12:03.250Z"
        assert check.level == "bound"
    assert of(recorded, "unit").evidence == ("c1", "out/report.xml")
    assert (of(recorded, "unit").outcome, of(recorded, "unit").verdict) == ("pass", "proved")
    assert of(recorded, "lint").evidence == ("out/report.xml",)
    assert of(recorded, "lint").verdict == "unverifiable", "nothing shows on which files it was made"
    assert "agent-otel verify" in (of(recorded, "lint").verdict_reason or "")
    assert "sw0rdfish" not in str([span.to_json() for span in recorded.spans])


def test_a_command_is_bound_to_the_reports_it_writes(repo: Path) -> None:
    """They are read when it has ended, where it ran, and bind whatever cites the command."""
    for run_it in (agent_otel.command, lambda *args, **more: asyncio.run(agent_otel.command_async(*args, **more))):
        with record_runs() as recorded, agent_otel.run("Fix it", agent="fixer") as run:
            run.verification("unit", evidence=run_it(WRITES, cwd=repo / "out", reports="report.xml"))
        (record,) = recorded.records
        (file,) = record.commands[0].files
        assert (file.path, file.sha256) == ("out/report.xml", DIGEST)
        assert (of(recorded, "unit").level, of(recorded, "unit").files) == ("bound", ())


def test_a_command_outside_of_a_run_tells_its_reports_as_they_were_named(repo: Path) -> None:
    """There is no repository that they could be relative to."""
    with record_runs(git=False) as recorded:
        agent_otel.command(WRITES, reports=["report.xml", "absent.xml"])
    (event,) = [each for span in recorded.spans for each in span.events if each.name == names.COMMAND_RUN]
    (told,) = event.attributes[names.COMMAND_FILES]
    assert (json.loads(told)["path"], json.loads(told)["sha256"]) == ("report.xml", DIGEST)


def test_evidence_that_is_no_file_stays_the_name_it_is(repo: Path) -> None:
    """It binds nothing, and breaks nothing."""
    with record_runs() as recorded, agent_otel.run("Fix it", agent="fixer") as run:
        run.verification("unit", evidence=["the build log", Path("absent.xml"), "out", "\0"], passed=True)
    check = of(recorded, "unit")
    assert (check.files, check.level) == ((), "claimed")
    assert check.evidence[:3] == ("the build log", "absent.xml", "out")


def test_what_is_no_plain_file_or_too_large_is_not_read(tmp_path: Path) -> None:
    """A pipe would be waited for; a huge file is told of without a digest."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(LARGEST_EVIDENCE + 1)
    (told,) = [json.loads(each) for each in bound(["pipe", "huge", "absent"], shown=os.fspath, folder=str(tmp_path))]
    assert (Path(told["path"]).name, told["bytes"]) == ("huge", LARGEST_EVIDENCE + 1)
    assert "sha256" not in told


def test_of_very_many_files_the_first_are_told(tmp_path: Path) -> None:
    """An event has a size."""
    for number in range(MOST_FILES + 3):
        (tmp_path / str(number)).touch()
    assert len(bound(sorted(tmp_path.iterdir()), shown=os.fspath)) == MOST_FILES


def test_a_digest_that_is_none_binds_nothing() -> None:
    """What telemetry says is believed as far as it can be checked."""
    said = [
        json.dumps({"path": "a", "sha256": "A" * 64, "bytes": -1, "modified": 3}),
        json.dumps({"sha256": "0" * 64}), "no JSON", json.dumps([1]),
    ]  # fmt: skip
    with record_runs(git=False) as recorded, agent_otel.run("Fix it", agent="fixer") as run:
        run.span.add_event(names.VERIFICATION_RAN, {
            names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "pass", names.VERIFICATION_FILES: said,
            names.EVENT_ID: "e1", names.RUN_ID: run.id,
        })  # fmt: skip
    (file,) = of(recorded, "unit").files
    assert (file.path, file.sha256, file.bytes, file.modified) == ("a", None, None, None)
    assert of(recorded, "unit").level == "claimed"
    (record,) = recorded.records
    assert judge(record) == record
