"""``agent-otel verify``: a real run, its real report and its repository, as a reviewer has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agent_otel
from agent_otel.model.record import LARGEST_EVIDENCE, encode
from agent_otel.testing import record_runs

TEST = """from fizz import fizz


def test_three():
    assert fizz(3) == "fizz"
    assert fizz(9) == "fizz"


def test_four():
    assert fizz(4) == ""
"""
GIT = ("git", "-c", "user.name=Reviewer", "-c", "user.email=reviewer@example.com")
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=out/report.xml"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch) -> Path:
    """A repository with a bug in it, that ignores reports."""
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "tests").mkdir()
    (repo / "fizz.py").write_text('def fizz(n):\n    return "fizz" if n % 3 == 1 else ""\n')
    (repo / "tests" / "test_fizz.py").write_text(TEST)
    (repo / ".gitignore").write_text("out/\n__pycache__/\n")
    (repo / "out").mkdir()
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "A bug")):
        subprocess.run([*GIT, *command], cwd=repo, check=True)
    monkeypatch.chdir(repo)
    return repo


def fixed(repo: Path, *, weaken: bool = False, says: str = "All 2 tests pass.") -> Path:
    """Has the bug fixed in a run that binds its check to the report, and gives the file with its record."""
    with record_runs() as recorded, agent_otel.run("Fix fizz", agent="fixer") as run:
        (repo / "fizz.py").write_text('def fizz(n):\n    return "fizz" if n % 3 == 0 else ""\n')
        if weaken:
            test = repo / "tests" / "test_fizz.py"
            test.write_text(test.read_text().replace('    assert fizz(9) == "fizz"\n', ""))
        # Plugins of the tests' own environment would leave files in the repository.
        alone = {"PYTHONPATH": str(repo), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        ran = run.command(PYTEST, env={**os.environ, **alone}, reports="out/report.xml", timeout=300)
        run.verification("unit", evidence=[ran, "out/report.xml"])
        run.final_message(says)
    (record,) = recorded.records
    path = repo.parent / "record.json"
    path.write_bytes(encode(record))
    return path


def test_a_run_whose_evidence_holds_is_proved(invoke, repo) -> None:
    """Digest, report, exit code, claim and tree say the same; so does the tree once it was committed."""
    path = fixed(repo)
    result = invoke("verify", "--file", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert ": proved\n" in result.stdout
    assert "v1  proved  unit (bound)" in result.stdout
    assert "out/report.xml: as recorded: it counts 2 passed" in result.stdout
    subprocess.run([*GIT, "commit", "-qam", "Fix"], cwd=repo, check=True)
    (repo / "scratch.txt").write_text("mine")
    os.chdir(repo.parent)
    result = invoke("verify", "--file", path, "--root", repo, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["proved"], found["unproved"]) == (0, True, [])
    (check,) = found["checks"]
    assert (check["verdict"], check["level"], check["files"][0]["report"]["form"]) == ("proved", "bound", "junit")


def test_what_does_not_hold_is_named(invoke, repo) -> None:
    """A forged report, a claim of more than it counts, and another tree; each with its reason, and exit code 1."""
    path = fixed(repo, says="All 142 tests pass.")
    result = invoke("verify", "--file", path)
    assert result.exit_code == 1
    assert "contradicted: \"All 142 tests pass\": it says 142, and 'unit' counts 2 that passed" in result.stdout
    report = repo / "out" / "report.xml"
    report.write_text(report.read_text().replace('tests="2"', 'tests="142"'))
    assert "v1  contradicted  unit (observed, proved by the record)" in invoke("verify", "--file", path).stdout
    (repo / "fizz.py").write_text("broken")
    assert "and the repository is at" in invoke("verify", "--file", path).stdout


def test_tests_that_were_weakened_stand_beside_the_check(invoke, repo) -> None:
    """What the diff shows, as long as the repository has what the run left."""
    path = fixed(repo, weaken=True)
    result = invoke("verify", "--file", path)
    assert "weakened  tests/test_fizz.py: edited, 1 assertion fewer" in result.stdout
    assert '- assert fizz(9) == "fizz"' in result.stdout
    (check,) = json.loads(invoke("verify", "--file", path, "--json").stdout)["checks"]
    assert check["tests"][0]["assertions_removed"] == 1
    (repo / "fizz.py").write_text("something else")
    result = invoke("verify", "--file", path)
    assert "1 test file changed in the run (no diff to read):\n      tests/test_fizz.py: edited\n" in result.stdout


def _link(report: Path) -> None:
    report.unlink()
    report.symlink_to("/etc/hostname")


def _pipe(report: Path) -> None:
    report.unlink()
    os.mkfifo(report)


def _grow(report: Path) -> None:
    with report.open("r+b") as file:
        file.truncate(LARGEST_EVIDENCE + 1)


def _loop(report: Path) -> None:
    report.unlink()
    report.symlink_to("report.xml")


def test_a_weakened_test_is_what_a_diagnosis_tells_of(invoke, repo, tmp_path) -> None:
    """The check passes, and by the diff of the run it tests less; without the repository nobody knows."""
    path = fixed(repo, weaken=True)
    because = "it is proved by tests that the run weakened: tests/test_fizz.py (edited, 1 assertion fewer)\n"
    for asked in ((), ("--check", "unit")):
        told = invoke("diagnose", "--file", path, *asked)
        assert (told.exit_code, told.stderr) == (0, "")
        assert f"\nunit, proved: verification\n  {because}" in told.stdout
        assert "    tests/test_fizz.py  edit (+0, -1)\n" in told.stdout
    assert because not in invoke("diagnose", "--file", path, "--root", tmp_path).stdout
    assert because not in invoke("diagnose", "--file", fixed(repo)).stdout


UNREAD = {
    "missing": (Path.unlink, "it is not there, in "),
    "a link out of the root": (_link, "not read: it leads out of "),
    "a pipe": (_pipe, "not read: it is no plain file"),
    "too large": (_grow, f"not read: it has more than {LARGEST_EVIDENCE} bytes"),
    "a link to itself": (_loop, "it cannot be read: "),
}


@pytest.mark.parametrize("case", UNREAD)
def test_what_must_not_be_read_is_not(invoke, repo, case: str) -> None:
    """The check cannot be verified, and the reason says why."""
    path = fixed(repo)
    spoil, why = UNREAD[case]
    spoil(repo / "out" / "report.xml")
    result = invoke("verify", "--file", path)
    assert result.exit_code == 1
    assert "v1  unverifiable  unit (observed, proved by the record)" in result.stdout
    assert f"    out/report.xml: {why}" in result.stdout


def test_a_path_out_of_the_root_is_refused(invoke, repo) -> None:
    """By dots or from the top: a record may name any path; a damaged report is told as such."""
    path = fixed(repo)
    (repo.parent / "secret.xml").write_text("<testsuite/>")
    for evil in ("../secret.xml", "/etc/hostname"):
        told = path.read_text().replace("out/report.xml", evil)
        (repo.parent / "evil.json").write_text(told)
        assert f"    {evil}: not read: it leads out of " in invoke("verify", "--file", repo.parent / "evil.json").stdout
    (repo / "out" / "report.xml").write_text("<testsuite>")
    (repo.parent / "named.json").write_text(path.read_text().replace('"files":[', '"none":['))
    told = invoke("verify", "--file", repo.parent / "named.json").stdout
    assert "out/report.xml: it cannot be read: not XML" in told


def test_without_a_repository_the_files_alone_are_held_against(invoke, repo, tmp_path) -> None:
    """A folder of a job's artifacts is enough."""
    path = fixed(repo)
    (tmp_path / "artifacts").mkdir()
    (repo / "out").rename(tmp_path / "artifacts" / "out")
    result = invoke("verify", "--file", path, "--root", tmp_path / "artifacts")
    assert result.exit_code == 0
    assert "there is no repository to compare it with" in result.stdout


def test_what_was_not_asked_right_is_told_apart(invoke, source, database) -> None:
    """Exit code 2: no such run, no such folder, both a run and a file."""
    assert invoke("verify", "run-1", *source).exit_code == 1, "its only check failed"
    for arguments in (("zzz", "--db", database), ("--root", "/nowhere"), ("run-1", "--file", database)):
        result = invoke("verify", *arguments)
        assert (result.exit_code, result.stdout) == (2, ""), arguments
