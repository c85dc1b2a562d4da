"""``agent-otel near-miss``: what only a reviewer caught, brought to a run of any agent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement
from agent_otel.service.fold import fold_due
from agent_otel.service.local import LocalReceiver
from agent_otel.store.open import open_store
from agent_otel.store.sqlite import SqliteStore

Invoke = Callable[..., Result]
TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789AB"
MARK = ("--caught-by", "ada", "--what", "the retry had no limit")


@pytest.fixture
def runs(tmp_path: Path, invoke: Invoke, telemetry: Any, lines: Any) -> Path:
    """A database with one run."""
    (tmp_path / "in.jsonl").write_bytes(lines(telemetry("run-1")))
    assert invoke("compact", tmp_path / "in.jsonl", "--db", tmp_path / "runs.db").exit_code == 0
    return tmp_path / "runs.db"


def shown(invoke: Invoke, *where: str | Path, run: str = "run-1") -> dict[str, Any]:
    """The record of a run."""
    result = invoke("show", run, "--json", *where)
    assert result.exit_code == 0, result.stderr
    record: dict[str, Any] = json.loads(result.stdout)
    return record


def test_it_is_told_wherever_the_run_is(runs: Path, invoke: Invoke) -> None:
    """By whom, when, where; and nothing else of the record is another."""
    before = shown(invoke, "--db", runs)
    where = ("--file", "src/retry.py", "--file", "src/http.py", "--layer", "tests", "--at", "2026-05-18T10:00:00Z")
    result = invoke("near-miss", "run", *MARK, *where, "--db", runs)
    assert (result.exit_code, result.stdout) == (0, "near-miss, caught by ada: added to run run-1\n"), result.stderr
    record = shown(invoke, "--db", runs)
    (entry,) = record["near_misses"]
    assert len(entry.pop("id")) == 32
    assert entry == {
        "caught_by": "ada", "what": "the retry had no limit", "at": "2026-05-18T10:00:00.000Z",
        "files": ["src/retry.py", "src/http.py"], "layer": "tests",
    }  # fmt: skip
    assert {**record, "near_misses": [], "revision": 1} == before
    for command, told in (
        ("show", "ada, 2026-05-18T10:00:00.000Z: the retry had no limit [tests]"),
        ("note", "- ada: the retry had no limit, in `src/retry.py`, `src/http.py` → tests"),
        ("digest", '- caught by "ada": "the retry had no limit", in "src/retry.py", in "src/http.py"'),
    ):
        assert told in invoke(command, "run-1", "--db", runs).stdout


def test_the_same_marked_twice_changes_nothing(runs: Path, invoke: Invoke) -> None:
    """Whenever; other words are another one. It stays when the run is folded again."""
    assert invoke("near-miss", "run-1", *MARK, "--db", runs).exit_code == 0
    before = shown(invoke, "--db", runs)
    again = invoke("near-miss", "run-1", *MARK, "--at", "3d", "--db", runs, "--json")
    assert json.loads(again.stdout)["state"] == "known"
    assert invoke("near-miss", "run-1", *MARK, "--db", runs).stdout.endswith("run run-1 has this near-miss already\n")
    assert invoke("recompact", "--db", runs).exit_code == 0
    assert shown(invoke, "--db", runs) == before
    assert invoke("near-miss", "run-1", *MARK, "--layer", "hooks", "--db", runs).exit_code == 0
    assert len(shown(invoke, "--db", runs)["near_misses"]) == 2


def test_programs_read_what_was_marked(runs: Path, invoke: Invoke) -> None:
    """With the secrets in it masked."""
    said = ("--caught-by", f"ada {TOKEN}", "--what", f"it prints {TOKEN}", "--file", f"a/{TOKEN}")
    told = json.loads(invoke("near-miss", "run-1", *said, "--db", runs, "--json").stdout)
    assert (told["run_id"], told["state"]) == ("run-1", "added")
    assert told["near_miss"][names.NEAR_MISS_WHAT].startswith("it prints [REDACTED:github-token")
    assert names.NEAR_MISS_LAYER not in told["near_miss"]
    assert TOKEN not in json.dumps([told, shown(invoke, "--db", runs)])


def test_hostile_words_reach_no_terminal(runs: Path, invoke: Invoke) -> None:
    """Neither as they are marked nor as they are shown; what is no Unicode is mended."""
    said = ("--caught-by", "\x1b[2Jada\udcff", "--what", "x\x07\x00y")
    for told in (
        invoke("near-miss", "run-1", *said, "--db", runs),
        *(invoke(name, "run-1", "--db", runs) for name in ("show", "note")),
        invoke("incidents", "--since", "2026-05-01", "--db", runs),
    ):
        assert told.exit_code < 2, told.stderr
        assert not {"\x1b", "\x07", "\x00"} & set(told.stdout)
        assert "ada" in told.stdout


def test_a_marked_run_is_an_incident_until_a_page_is_about_it(runs: Path, invoke: Invoke) -> None:
    """The page's trigger is what the record shows, and it says who caught what."""
    incidents = ("incidents", "--since", "2026-05-01", "--db", runs)
    assert invoke(*incidents).exit_code == 0
    assert invoke("near-miss", "run-1", *MARK, "--db", runs).exit_code == 0
    found = invoke(*incidents)
    assert found.exit_code == 1
    assert found.stdout.splitlines()[:3] == [
        "1. near-miss, 2026-05-18 to 2026-05-18: only ada caught it: the retry had no limit",
        "   runs: run-1",
        "1 incident to write a post-mortem about",
    ]
    written = invoke("postmortem", "new", "run-1", "--db", runs)
    assert written.exit_code == 0, written.stderr
    page = Path(written.stdout.strip()).read_text(encoding="utf-8")
    assert 'trigger = "near-miss"' in page
    assert "only ada caught “the retry had no limit”." in page
    assert invoke(*incidents).exit_code == 0


@pytest.fixture
def database(database: Path, invoke: Invoke) -> Path:
    """The database of the other commands' tests, with a run that is marked: each source is made of it."""
    assert invoke("near-miss", "run-1", *MARK, "--db", database).exit_code == 0
    return database


def test_it_is_read_from_files_and_processors_alike(invoke: Invoke, source: tuple[str, str]) -> None:
    """The record, and what deserves a post-mortem."""
    assert shown(invoke, *source)["near_misses"][0]["caught_by"] == "ada"
    told = json.loads(invoke("incidents", "--since", "2026-05-01", "--json", *source).stdout)["incidents"]
    assert ["run-1"] in [each["runs"] for each in told if each["trigger"] == "near-miss"]


MISUSE = {
    "nobody caught it": (["--caught-by", " ", "--what", "x"], 2, "expected words, got none"),
    "nothing was caught": (["--caught-by", "ada", "--what", "\n"], 2, "expected words, got none"),
    "nobody is named": (["--what", "x"], 2, "Missing option '--caught-by'"),
    "no such layer": ([*MARK, "--layer", "luck"], 2, "'luck' is not one of"),
    "two places": ([*MARK, "--db", "x", "--endpoint", "http://127.0.0.1:9"], 2, "one of --db and --endpoint"),
    "nobody there": ([*MARK, "--endpoint", "http://127.0.0.1:9"], 1, "does not answer"),
    "no database": ([*MARK, "--db", "nowhere.db"], 1, "no database at"),
}


@pytest.mark.parametrize("case", MISUSE)
def test_what_cannot_be_marked_is_said(runs: Path, invoke: Invoke, case: str) -> None:
    """With the exit codes of misuse and failure."""
    arguments, status, message = MISUSE[case]
    where = [] if "--db" in arguments or "--endpoint" in arguments else ["--db", runs]
    result = invoke("near-miss", "run-1", *arguments, *where)
    assert result.exit_code == status
    assert message in " ".join(result.stderr.split())


def test_a_run_that_is_not_there_is_an_error(runs: Path, invoke: Invoke) -> None:
    """With the nearest."""
    result = invoke("near-miss", "rum-1", *MARK, "--db", runs)
    assert result.exit_code == 1
    assert "no run 'rum-1'; the nearest are: run-1" in result.stderr


def test_a_run_does_not_mark_itself(runs: Path, invoke: Invoke) -> None:
    """What it caught itself is a failure that it saw."""
    result = invoke("near-miss", "run-1", *MARK, "--db", runs, **{names.ENV_RUN: "run-1"})
    assert result.exit_code == 2
    assert "record a failure" in result.stderr


def test_it_is_sent_by_otlp(runs: Path, invoke: Invoke) -> None:
    """To a receiver that commits before it answers; there it is folded into the run."""
    with closing(SqliteStore(runs)) as store:
        receiver = LocalReceiver(store, tuple)
        try:
            result = invoke("near-miss", "run-1", *MARK, "--endpoint", receiver.endpoint)
        finally:
            receiver.close()
    assert (result.exit_code, result.stdout) == (0, "near-miss, caught by ada: sent for run run-1\n"), result.stderr
    assert shown(invoke, "--db", runs)["near_misses"][0]["what"] == "the retry had no limit"


def test_postgresql_takes_it_and_its_processors_fold_it(runs: Path, invoke: Invoke, postgres_url: str) -> None:
    """The same record comes of it as in a file."""
    with closing(SqliteStore(runs)) as store, closing(open_store(postgres_url)) as copy:
        copy.put(store.run_items("run-1"))
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
    at = ("--at", "2026-05-18T10:00:00Z")
    assert "its processors fold it" in invoke("near-miss", "run-1", *MARK, *at, "--db", postgres_url).stdout
    with closing(open_store(postgres_url)) as copy:
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
    assert invoke("near-miss", "run-1", *MARK, *at, "--db", runs).exit_code == 0
    assert shown(invoke, "--db", postgres_url) == shown(invoke, "--db", runs)
    assert "has this near-miss already" in invoke("near-miss", "run-1", *MARK, "--db", postgres_url).stdout


SESSION, TRACE = "b355dc84-4650-4f3c-8adf-7c0858caf5ef", "0af7651916cd43dd8448eb211c80319c"


def of_others(run: str) -> dict[str, Any]:
    """Telemetry of an agent that does not know our ids: a trace, or a session, and an agent inside of the agent."""
    session = [] if run.startswith("trace-") else [{"key": names.CONVERSATION_ID, "value": {"stringValue": run}}]

    def span(number: int, agent: str) -> dict[str, Any]:
        named = [(names.OPERATION_NAME, names.INVOKE_AGENT), (names.AGENT_NAME, agent)]
        return {
            "traceId": TRACE, "spanId": f"{number:016x}", "name": f"invoke_agent {agent}",
            "parentSpanId": f"{number - 1:016x}" if number > 1 else "", "kind": 1,
            "startTimeUnixNano": "1779095523000000000", "endTimeUnixNano": "1779095524000000000",
            "attributes": [*session, *({"key": key, "value": {"stringValue": value}} for key, value in named)],
        }  # fmt: skip

    scope = {"scope": {"name": "another"}, "spans": [span(1, "outer"), span(2, "inner")]}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [scope]}]}


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("first", ["run", "word"])
@pytest.mark.parametrize(
    "run",
    [SESSION, f"{SESSION}/inner", f"trace-{TRACE}", f"trace-{TRACE}/inner"],
    ids=lambda run: f"of {run[:5]}{run[36:]}",
)
def test_any_agents_run_can_be_marked(
    invoke: Invoke, request: pytest.FixtureRequest, store: str, first: str, run: str
) -> None:
    """Named after a session or a trace, or inside of one that is; whether the run comes first or the word."""
    where = request.getfixturevalue("postgres_url") if store == "postgresql" else "others.db"
    said = {names.RUN_ID: run, names.NEAR_MISS_CAUGHT_BY: "ada", names.NEAR_MISS_WHAT: "x"}
    come = [
        items_from_json(json.dumps(of_others(run.partition("/")[0])).encode(), "span").items,
        items_from_protobuf(statement(names.NEAR_MISS, said, time_ns=1), "log").items,
    ]
    with closing(open_store(where)) as opened:
        for items in come if first == "run" else reversed(come):
            opened.put(items)
            fold_due(opened, now_ns=time.time_ns(), policy=Policy())
    assert [entry["caught_by"] for entry in shown(invoke, "--db", where, run=run)["near_misses"]] == ["ada"]
