"""``agent-otel incidents``: what deserves a post-mortem, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_otel.store.sqlite import SqliteStore

FINGERPRINT = "failure-not-resolved:pytest:.:faaba62b"
TOLD = f"""\
1. recurrence, 2026-05-18 to 2026-05-18: the same failure in 2 runs within 1 day: pytest -q failed and nothing later \
resolved it: exit code 1
   runs: run-1, run-2
   failures: {FINGERPRINT}
1 incident to write a post-mortem about
the next review is due on 2026-08-16, 90 days after the first run
"""
TODAY = ("--today", "2026-05-20")


def test_the_same_failure_in_two_runs_is_told(invoke, source) -> None:
    """Once for a run and its sub-agent; with exit code 1, so that CI notices."""
    result = invoke("incidents", *source, "--since", "2026-05-01", *TODAY)
    assert (result.exit_code, result.stdout) == (1, TOLD)


def test_programs_read_incidents_as_json(invoke, database: Path) -> None:
    """With what people read, and since when was looked."""
    result = invoke("incidents", "--db", database, "--since", "2026-05-01", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["since"] == "2026-05-01T00:00:00.000Z"
    (incident,) = told["incidents"]
    assert incident["trigger"] == "recurrence"
    assert incident["runs"] == ["run-1", "run-2"]
    assert incident["fingerprints"] == [FINGERPRINT]


def test_where_there_is_none_the_exit_code_is_0(invoke, database: Path) -> None:
    """Nothing of late, nothing by one agent, nothing by the thresholds of the contract."""
    Path("patient.toml").write_text("[incidents]\nrecurrence = 3\n")
    since = ("--db", database, "--since", "2026-05-01")
    for asked in (("--db", database), (*since, "--agent", "fixer"), (*since, "--contract", "patient.toml")):
        result = invoke("incidents", *asked)
        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "no incidents")


def test_what_the_contract_ignores_is_no_incident(invoke, database: Path) -> None:
    """As in an audit."""
    Path("agent-otel.toml").write_text('[rules.ignore]\nfailure-not-resolved = "they are looked at elsewhere"\n')
    assert invoke("incidents", "--db", database, "--since", "2026-05-01").exit_code == 0


def test_misuse_has_another_exit_code(invoke, database: Path) -> None:
    """CI must not take it for an incident."""
    assert invoke("incidents", "--db", "nowhere.db").exit_code == 2
    Path("wrong.toml").write_text("[incidents]\nrecurrence = 0\n")
    result = invoke("incidents", "--db", database, "--contract", "wrong.toml")
    assert result.exit_code == 2
    assert "'recurrence' must be between 2 and 10000" in result.stderr


def test_what_has_a_page_is_left_out_until_it_comes_back(invoke, database: Path) -> None:
    """A page about all of its runs; one about some of them, or a file that is no page, is not enough."""
    asked = ("incidents", "--db", database, "--since", "2026-05-01")
    Path("postmortems").mkdir()
    Path("postmortems/notes.md").write_text("nothing yet")
    for runs, expected in (("run-1",), 1), (("run-1", "run-2"), 0):
        assert invoke("postmortem", "new", *runs, "--db", database, "--folder", "_".join(runs)).exit_code == 0
        assert invoke(*asked, "--postmortems", "_".join(runs)).exit_code == expected
    assert invoke(*asked).exit_code == 1


@pytest.mark.parametrize(
    ("asked", "due", "after"),
    [
        ((), "2026-08-16", "90 days after the first run"),
        (("page",), "2026-08-12", "90 days after the first post-mortem"),
        (("page", "review"), "2026-08-30", "90 days after the last one"),
        (("page", "review", "contract"), "2026-06-08", "7 days after the last one"),
        (("page", "notes"), "2026-08-12", "90 days after the first post-mortem"),
    ],
)
def test_the_next_review_is_announced(invoke, database: Path, asked: tuple[str, ...], due: str, after: str) -> None:
    """Days after the last one that is kept beside the pages, or after the first of what there is to review."""
    Path("postmortems/reviews").mkdir(parents=True)
    made = {
        "page": (
            "postmortems/a.md",
            '+++\ntrigger = "redo"\nruns = []\nfailed = 2026-05-14\nwritten = 2026-05-14\n+++\n',
        ),
        "review": ("postmortems/reviews/2026-06-01.md", '+++\nheld = "2026-06-01"\n+++\n'),
        "notes": ("postmortems/reviews/notes.md", "# Notes\n"),
        "contract": ("agent-otel.toml", "[incidents]\nreview_days = 7\n"),
    }
    for name in asked:
        file, text = made[name]
        Path(file).write_text(text, encoding="utf-8")
    for today, overdue in (("2026-05-20", False), (due, True)):
        result = invoke("incidents", "--db", database, "--since", "2026-06-01", "--today", today)
        said = f"a review is due since {due}, {after}: agent-otel review"
        assert (result.exit_code, result.stdout.splitlines()[-1] == said) == (0, overdue)
        assert f" {due}, {after}" in result.stdout
        told = json.loads(invoke("incidents", "--db", database, "--today", today, "--json").stdout)
        assert told["review"] == {"day": due, "after": after, "overdue": overdue}


def test_where_nothing_is_to_be_reviewed_nothing_is_due(invoke, tmp_path: Path) -> None:
    """An empty database."""
    SqliteStore(tmp_path / "empty.db").close()
    assert invoke("incidents", "--db", "empty.db").stdout == "no incidents\n"
    assert json.loads(invoke("incidents", "--db", "empty.db", "--json").stdout)["review"] is None
