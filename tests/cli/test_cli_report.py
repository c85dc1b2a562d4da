"""``agent-otel report``: the figures of many runs as one page, or as JSON."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from agent_otel.store.sqlite import SqliteStore


@pytest.fixture
def exported(invoke, database, tmp_path: Path) -> Path:
    """The runs of ``database`` in a file, one on each line."""
    path = tmp_path / "runs.jsonl"
    path.write_text(invoke("export", "--db", database, "--jsonl").stdout)
    return path


def figures(result):
    """What was printed."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_figures_are_those_of_wherever_the_runs_are(invoke, source) -> None:
    """A database or a processor; what the store says of itself is told where there is one."""
    told = figures(invoke("report", "--json", *source))
    assert told["schema"] == "agent-otel/report/1"
    assert told["headline"]["runs"] == 3
    assert {row["run_id"] for row in told["runs"]["first_to_review"]} == {"run-1", "run-2", "child-1"}
    assert told["tools"]["failed_commands"] == 3
    stored = told["processor"]["stored"]
    assert stored is None if source[0] == "--url" else (stored["items"], stored["waiting"]) == (3, 0)


def test_the_page_tells_the_same_and_is_the_same_each_time(invoke, database, tmp_path) -> None:
    """Written to a file or printed; when it was made stands on it only if that is asked for."""
    page = invoke("report", "--db", database, "--title", "Our <agents>")
    assert page.exit_code == 0
    assert page.stdout.startswith("<!doctype html>")
    assert "Our &lt;agents&gt;" in page.stdout
    written = invoke("report", "--db", database, "--title", "Our <agents>", "--out", "r.html")
    assert (written.exit_code, written.stdout) == (0, "")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == page.stdout
    assert "Made <time>2026-06-01 00:00</time>" in invoke("report", "--db", database, "--now", "2026-06-01").stdout


def test_exported_files_tell_the_same(invoke, database, exported, tmp_path) -> None:
    """As lines, an array, a single record, gzipped; each run once, in its last revision."""
    stored = figures(invoke("report", "--json", "--db", database))
    stored["processor"]["stored"] = None
    array = tmp_path / "runs.json"
    array.write_text(invoke("export", "--db", database).stdout)
    zipped = tmp_path / "runs.gz"
    zipped.write_bytes(gzip.compress(exported.read_bytes()))
    older = json.loads(exported.read_text().splitlines()[0])
    older |= {"revision": 0, "commands": []}
    (tmp_path / "older.json").write_text(json.dumps(older, indent=2))
    for files in ([exported], [array], [zipped], [array, exported, tmp_path / "older.json"]):
        assert figures(invoke("report", "--json", *files)) == stored
    assert figures(invoke("report", "--json", tmp_path / "older.json"))["tools"]["commands"] == 0


@pytest.mark.parametrize(
    ("chosen", "runs"),
    [
        (("--agent", "writer"), ["run-2"]),
        (("--repository", "docs"), ["run-2"]),
        (("--since", "2026-05-18T10:00:00"), ["child-1", "run-2"]),
        (("--until", "2026-05-18T10:00:00"), ["run-1"]),
        (("--since", "2026-05-18T10:00:00", "--agent", "helper"), ["child-1"]),
    ],
)
def test_runs_are_chosen_alike_in_a_database_and_in_files(invoke, database, exported, chosen, runs) -> None:
    """By agent, repository and time."""
    for where in (("--db", database), (exported,)):
        told = figures(invoke("report", "--json", *where, *chosen))
        assert sorted(row["run_id"] for row in told["runs"]["first_to_review"]) == runs


def test_so_many_runs_are_listed(invoke, database) -> None:
    """All of them are counted."""
    told = figures(invoke("report", "--json", "--db", database, "--runs", "2"))
    assert (told["headline"]["runs"], len(told["runs"]["first_to_review"])) == (3, 2)


def test_files_beside_a_database_are_misuse(invoke, database, exported) -> None:
    """It would not be clear what is told of."""
    result = invoke("report", exported, "--db", database)
    assert result.exit_code == 2
    assert "leave out --db and --url" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "expected run records"),
        (b"nonsense", "expected run records"),
        (b"[1]", "expected run records"),
        (b'{"run_id": "r"}', "not a run record"),
        (b"\x1f\x8bdamaged", "gzip"),
    ],
)
def test_what_is_no_record_is_an_error(invoke, tmp_path, content, said) -> None:
    """It names the file and what is wrong."""
    path = tmp_path / "other.json"
    path.write_bytes(content)
    result = invoke("report", path)
    assert result.exit_code == 1
    assert "other.json" in result.stderr
    assert said in result.stderr


def test_the_quarterly_review_is_a_part_that_is_asked_for(invoke, source) -> None:
    """The same document as that of the command, from the same runs, pages and days."""
    Path("postmortems").mkdir()
    front = 'trigger = "redo"\nruns = ["run-1"]\nfailed = 2026-05-18\nwritten = 2026-05-20\n'
    Path("postmortems/a.md").write_text(f"+++\n{front}+++\n\n# What <happened>\n")
    days = ("--since", "2026-05-01", "--until", "2026-06-01", "--now", "2026-06-02")
    told = figures(invoke("report", "--json", *source, "--review", *days))
    asked = ("--since", "2026-05-01", "--until", "2026-05-31", "--today", "2026-06-02")
    assert told["review"] == figures(invoke("review", "--json", *source, *asked))
    assert "review" not in figures(invoke("report", "--json", *source, *days))
    page = invoke("report", *source, "--review", *days).stdout
    assert '<a href="#review">' in page
    assert "What &lt;happened&gt;" in page


def test_a_review_of_all_there_is_begins_and_ends_with_it(invoke, database, exported) -> None:
    """From the first run to the last, or to the last page; runs in files are no others than these."""
    for where in (("--db", database), (exported,)):
        told = figures(invoke("report", "--json", "--review", *where))["review"]
        assert (told["since"], told["until"], told["runs"]) == ("2026-05-18", "2026-05-18", 2)
    Path("postmortems").mkdir()
    front = 'trigger = "redo"\nruns = ["nobody"]\nfailed = 2026-05-18\nwritten = 2026-05-20\n'
    Path("postmortems/a.md").write_text(f"+++\n{front}+++\n")
    told = figures(invoke("report", "--json", "--review", exported))["review"]
    assert (told["until"], len(told["postmortems"])) == ("2026-05-20", 1)
    SqliteStore(Path("empty.db")).close()
    told = figures(
        invoke("report", "--json", "--review", "--db", "empty.db", "--postmortems", "none", "--now", "2026-06-01")
    )
    assert (told["review"]["since"], told["review"]["until"]) == ("2026-06-01", "2026-06-01")


def test_the_review_holds_runs_to_the_contract(invoke, database) -> None:
    """The figures of the report count them as they were folded."""
    Path("c.toml").write_text('[rules.ignore]\nfailure-not-resolved = "they are looked at elsewhere"\n')
    plain, held = (
        figures(invoke("report", "--json", "--review", "--db", database, *contract))
        for contract in ((), ("--contract", "c.toml"))
    )
    assert plain["runs"] == held["runs"]
    assert (len(plain["review"]["by_frequency"]), held["review"]["by_frequency"]) == (1, [])
