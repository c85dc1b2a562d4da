"""``agent-otel review``: the quarterly review, from where the runs, the pages and the history of the repository are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

FINGERPRINT = "failure-not-resolved:pytest:.:faaba62b"
PERIOD = ("--since", "2026-05-01", "--until", "2026-05-31", "--today", "2026-06-01")
PAGE = f"""\
+++
trigger = "recurrence"
runs = ["run-1", "run-2", "nobody"]
fingerprints = ["{FINGERPRINT}"]
failed = 2026-05-10
written = 2026-05-14
owner = "ada"
patterns = ["aspirational-rule"]

[[changes]]
file = "AGENTS.md"
what = "say how to run the tests"
owner = "ada"
+++

# Tests that fail

## What we are not doing

- A gate: too slow.
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that is a repository with a page, whose change landed the day after it was written."""
    monkeypatch.chdir(tmp_path)
    Path("postmortems").mkdir()
    Path("postmortems/tests.md").write_text(PAGE)
    Path("postmortems/notes.md").write_text("no page")
    Path("AGENTS.md").write_text("Look at `src/old.py` first.\n")
    Path("src").mkdir()
    Path("src/old.py").write_text("x = 1\n")
    when = "2026-05-15T12:00:00Z"
    identity = {"GIT_AUTHOR_NAME": "ada", "GIT_AUTHOR_EMAIL": "ada@example.test", "GIT_COMMITTER_NAME": "ada"}
    identity |= {"GIT_COMMITTER_EMAIL": "ada@example.test", "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    first = (("init", "-q"), ("add", "AGENTS.md", "src"), ("commit", "-q", "-m", "Say how"))
    for arguments in (*first, ("rm", "-q", "src/old.py"), ("commit", "-q", "-m", "Remove what is old")):
        subprocess.run(["git", *arguments], check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **identity})
    return tmp_path


@pytest.mark.usefixtures("repository")
def test_runs_pages_and_history_are_reviewed_together(invoke, source) -> None:
    """Of a store or an API alike."""
    result = invoke("review", *source, *PERIOD, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["schema"], told["since"], told["until"]) == ("agent-otel/review/1", "2026-05-01", "2026-05-31")
    assert (told["runs"], told["failed_runs"]) == (2, 0)
    (failure,) = told["by_frequency"]
    assert (failure["fingerprint"], failure["runs"]["count"]) == (FINGERPRINT, 2)
    assert failure["repositories"] == ["docs", "invite-app"]
    (page,) = told["postmortems"]
    assert [change["state"] for change in page["changes"]] == ["landed"]
    (change,) = told["changes"]
    assert (change["landed"], change["effect"]) == ("2026-05-15", "came back")
    (idea,) = told["rejected_ideas"]
    assert (idea["idea"], idea["returned"][0]["runs"]["count"]) == ("A gate: too slow.", 2)
    shown = {row["pattern"]: row["sightings"] for row in told["patterns"] if row["sightings"]}
    assert shown["aspirational-rule"][0]["runs"] == ["run-1", "run-2", "nobody"]
    assert shown["stale-harness"][0]["refs"] == ["AGENTS.md:1"]
    assert told["unread"][0].startswith("notes.md: expected front matter")


@pytest.mark.usefixtures("repository")
def test_a_review_in_the_folder_of_reviews_is_written_for_it(invoke, database: Path) -> None:
    """Its links lead to the pages from there; on standard output they lead there from where one is."""
    file = Path("postmortems/reviews/2026-06-01.md")
    result = invoke("review", "--db", database, *PERIOD, "--output", file)
    assert (result.exit_code, result.stdout) == (0, "")
    written = file.read_text(encoding="utf-8")
    assert written.startswith('+++\nheld = "2026-06-01"\n+++\n\n# Review of 2026-05-01 to 2026-05-31\n')
    assert "[Tests that fail](../tests.md)" in written
    printed = invoke("review", "--db", database, *PERIOD).stdout
    assert printed == written.replace("(../tests.md)", "(postmortems/tests.md)")


def test_a_length_of_time_ends_with_the_last_day(invoke, database: Path) -> None:
    """Which is in it; it is today where no other is named."""
    for asked, runs in (
        (("--since", "1d", "--until", "2026-05-18"), 2),
        (("--since", "1d", "--today", "2026-05-18"), 2),
        (("--since", "1d", "--until", "2026-05-17"), 0),
        (("--since", "1w", "--until", "2026-05-24"), 2),
        (("--since", "6d", "--until", "2026-05-24"), 0),
        (("--since", "2026-05-01", "--until", "2026-05-31", "--repository", "docs"), 1),
        ((), 0),
    ):
        told = json.loads(invoke("review", "--db", database, *asked, "--json").stdout)
        assert told["runs"] == runs, asked


def test_runs_of_pages_are_known_though_they_started_earlier(invoke, database: Path) -> None:
    """A page that names no fingerprint has theirs."""
    Path("postmortems").mkdir()
    Path("postmortems/tests.md").write_text(
        PAGE.replace(f'fingerprints = ["{FINGERPRINT}"]\n', "").replace("-14", "-20")
    )
    asked = ("--since", "2026-05-20", "--until", "2026-05-31", "--today", "2026-06-01")
    told = json.loads(invoke("review", "--db", database, *asked, "--json").stdout)
    assert (told["runs"], told["postmortems"][0]["fingerprints"]) == (0, [FINGERPRINT])


def test_what_the_contract_ignores_is_not_reviewed(invoke, database: Path) -> None:
    """As in an audit."""
    Path("agent-otel.toml").write_text('[rules.ignore]\nfailure-not-resolved = "they are looked at elsewhere"\n')
    assert json.loads(invoke("review", "--db", database, *PERIOD, "--json").stdout)["by_frequency"] == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--since", "soon"), "--since: expected a time such as 90d, 12w or 2026-05-18, got 'soon'"),
        (("--since", "2026-06-01", "--until", "2026-05-01"), "expected a day not after 2026-05-01, got 2026-06-01"),
        (("--until", "soon"), "expected a day such as 2026-05-18"),
        (("--db", "nowhere.db"), "no database at nowhere.db"),
        (("--contract", "nowhere.toml"), "'nowhere.toml' does not exist"),
    ],
)
def test_misuse(invoke, database: Path, asked: tuple[str, ...], said: str) -> None:
    """Exit code 2, which CI must not take for anything else."""
    result = invoke("review", *(() if "--db" in asked else ("--db", database)), *asked)
    assert result.exit_code == 2
    assert said in result.stderr
