"""``agent-otel recompact``: stored telemetry folded again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent_otel.model.record import Task
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


def test_there_must_be_something_to_fold(invoke, tmp_path: Path) -> None:
    """A database that is not there is not made."""
    result = invoke("recompact", "--db", tmp_path / "none.db")
    assert (result.exit_code, (tmp_path / "none.db").exists()) == (1, False)
