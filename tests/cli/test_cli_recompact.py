"""``agent-otel recompact``: stored telemetry folded again."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

import agent_spans
import pytest
from msgspec.structs import replace

from agent_otel.model.record import Task
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.store.base import Folded
from agent_otel.store.open import open_store


def outdated(db: str | Path, run_id: str) -> None:
    """Makes the record of a run what an older program might have written."""
    with closing(open_store(db)) as store:
        store.refold()
        for group in store.due(now_ns=1 << 62):
            records = store.records_of(group)
            old = [replace(each, task=Task(objective="?")) if each.run_id == run_id else each for each in records]
            fold = Folded(group=group, sequence=store.items(group).sequence, records=old)
            assert store.save([fold]) == [True]


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request, database: Path) -> str:
    """A database with three runs."""
    return str(database) if request.param == "sqlite" else request.getfixturevalue("copied")


def test_records_are_made_again_from_the_telemetry(invoke, db) -> None:
    """What differs gets its next revision; what does not, keeps its own."""
    before = {record["run_id"]: record for record in json.loads(invoke("export", "--db", db).stdout)}
    outdated(db, "run-1")
    result = invoke("recompact", "--db", db)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "folded 2 groups again: 1 of 3 records changed\n"
    after = {record["run_id"]: record for record in json.loads(invoke("export", "--db", db).stdout)}
    assert after["run-1"] == {**before["run-1"], "revision": before["run-1"]["revision"] + 2}
    assert {**after, "run-1": None} == {**before, "run-1": None}


def test_only_what_started_since_is_folded_again(invoke, db) -> None:
    """The times are those of ``runs``."""
    result = invoke("recompact", "--db", db, "--since", "2999-01-01", "--json")
    assert json.loads(result.stdout) == {"groups": 0, "records": 0, "changed": 0}


@pytest.fixture
def begun(tmp_path: Path) -> str:
    """A database with a run that began an hour ago, and whose root is yet to end."""
    begun_ns = time.time_ns() - 3_600_000_000_000
    child = agent_spans.span(0, 1, spans=2)
    child.start_time_unix_nano, child.end_time_unix_nano = begun_ns, begun_ns + 1
    path = tmp_path / "begun.db"
    with closing(open_store(path)) as store:
        store.put(items_from_protobuf(agent_spans.request([child]), "span").items)
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "environment", "lifecycle"),
    [
        ([], {}, "abandoned"),
        ([], {"AGENT_OTEL_ABANDONED_AFTER": "86400"}, "open"),
        (["--abandoned-after-s", "86400"], {}, "open"),
        (["--abandoned-after-s", "60"], {"AGENT_OTEL_ABANDONED_AFTER": "86400"}, "abandoned"),
    ],
)
def test_a_run_is_silent_for_as_long_as_processors_are_told(
    invoke, begun, monkeypatch, arguments, environment, lifecycle
) -> None:
    """The setting is theirs; flag before environment before default."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert invoke("recompact", "--db", begun, *arguments).exit_code == 0
    with closing(open_store(begun)) as store:
        assert [record.lifecycle for record in store.records()] == [lifecycle]


@pytest.mark.parametrize("command", [("runs",), ("export",), ("compact", "-")])
def test_every_command_that_folds_asks_the_environment(invoke, begun, monkeypatch, command) -> None:
    """A run is not declared abandoned by whoever looks at it."""
    monkeypatch.setenv("AGENT_OTEL_ABANDONED_AFTER", "86400")
    invoke(*command, "--db", begun, input="\n")
    with closing(open_store(begun)) as store:
        assert [record.lifecycle for record in store.records()] == ["open"]


def test_no_time_at_all_is_a_mistake(invoke, begun) -> None:
    """The bounds are those of the processor."""
    result = invoke("recompact", "--db", begun, "--abandoned-after-s", "0")
    assert result.exit_code == 2
    assert "abandoned_after_s must be at least 1, got 0" in result.stderr


def test_there_must_be_something_to_fold(invoke, tmp_path: Path) -> None:
    """A database that is not there is not made."""
    result = invoke("recompact", "--db", tmp_path / "none.db")
    assert (result.exit_code, (tmp_path / "none.db").exists()) == (1, False)
