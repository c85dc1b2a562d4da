"""``agent-otel postmortem``: a page from records, and whether pages are finished and their changes landed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

PAGE = "postmortems/2026-05-18-fix-the-redirect.md"


@pytest.fixture
def written(invoke, source) -> str:
    """The page about two runs, as the command wrote it."""
    options = ("--trigger", "recurrence", "--owner", "ada", "--today", "2026-05-20")
    result = invoke("postmortem", "new", "run-2", "run-1", *options, *source)
    assert (result.exit_code, result.stdout) == (0, PAGE + "\n"), result.stderr
    return Path(PAGE).read_text(encoding="utf-8")


def test_a_page_is_written_from_records(written: str) -> None:
    """Of a store or an API alike; the earliest run first."""
    assert 'runs = ["run-1", "run-2"]' in written
    assert "fixer and writer worked on “Fix the redirect” in invite-app, in 2 runs" in written


def test_a_page_that_is_there_stays(invoke, database: Path) -> None:
    """Somebody may have written in it."""
    command = ("postmortem", "new", "run-1", "--db", database, "--today", "2026-05-20")
    assert invoke(*command).exit_code == 0
    Path(PAGE).write_text("mine")
    result = invoke(*command)
    assert (result.exit_code, Path(PAGE).read_text()) == (2, "mine")
    assert "is there already" in result.stderr


def test_misuse(invoke, database: Path) -> None:
    """Unknown runs, days and folders."""
    assert invoke("postmortem", "new", "nobody", "--db", database).exit_code == 1
    assert invoke("postmortem", "new", "run-1", "--db", database, "--today", "soon").exit_code == 2
    assert invoke("postmortem", "check").exit_code == 2


def test_a_new_page_is_not_finished(invoke, database: Path) -> None:
    """Each thing that is still to be written is named, and CI sees an exit code of 1."""
    assert invoke("postmortem", "new", "run-1", "--db", database, "--today", "2026-05-20").exit_code == 0
    result = invoke("postmortem", "check", "--today", "2026-05-21")
    assert result.exit_code == 1
    assert "2026-05-18-fix-the-redirect.md: " in result.stdout
    assert "  What changes: not filled in\n" in result.stdout
    assert result.stdout.endswith("1 page\n")


def _git(*arguments: str, day: str = "2026-05-20") -> None:
    when = f"{day}T12:00:00Z"
    identity = {"GIT_AUTHOR_NAME": "ada", "GIT_AUTHOR_EMAIL": "ada@example.test", "GIT_COMMITTER_NAME": "ada"}
    identity |= {"GIT_COMMITTER_EMAIL": "ada@example.test", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **identity})


@pytest.mark.parametrize(
    ("landed", "today", "expected"),
    [
        ("2026-05-22", "2026-06-30", []),
        ("2026-05-29", "2026-06-30", ["change 1: late: due 2026-05-25, landed 2026-05-29"]),
        ("", "2026-05-25", []),
        ("", "2026-05-26", ["change 1: stale: due 2026-05-25, and AGENTS.md was not changed since 2026-05-20"]),
    ],
)
def test_the_history_shows_whether_changes_landed(invoke, landed: str, today: str, expected: list[str]) -> None:
    """By the first commit on the file since the page was written."""
    from_unit_test = Path(__file__).parents[1] / "data" / "postmortems" / "finished.txt"
    Path("postmortems").mkdir()
    Path("postmortems/page.md").write_text(from_unit_test.read_text(encoding="utf-8"), encoding="utf-8")
    Path("postmortems/README.md").write_text("not a page")
    _git("init", "-q")
    Path("AGENTS.md").write_text("old")
    _git("add", "AGENTS.md")
    _git("commit", "-q", "-m", "before", day="2026-05-19")
    if landed:
        Path("AGENTS.md").write_text("new")
        _git("commit", "-q", "-a", "-m", "after", day=landed)
    result = invoke("postmortem", "check", "--today", today, "--json")
    assert json.loads(result.stdout) == {"pages": {"page.md": expected}}
    assert result.exit_code == bool(expected)


def test_what_is_no_page_is_a_problem_of_its_own(invoke) -> None:
    """The other pages are told all the same; without a repository nothing has landed."""
    finished = Path(__file__).parents[1] / "data" / "postmortems" / "finished.txt"
    Path("postmortems").mkdir()
    Path("postmortems/a.md").write_bytes(b"\xff")
    Path("postmortems/b.md").write_bytes(finished.read_bytes().replace(b"\n", b"\r\n"))
    result = invoke("postmortem", "check", "--today", "2026-05-21")
    assert result.exit_code == 1
    assert "b.md: all is well\n" in result.stdout
    assert "a.md: 1 problem\n" in result.stdout
