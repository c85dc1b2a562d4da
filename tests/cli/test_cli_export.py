"""``agent-otel export``: every record, the earliest first, whatever it is read from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_otel.cli.records import StoreRecords
from agent_otel.store.base import RecordQuery
from agent_otel.store.sqlite import SqliteStore


def test_every_record_is_printed_the_earliest_first(invoke, source) -> None:
    """A JSON array, as ``runs --json`` prints it."""
    result = invoke("export", *source)
    assert result.exit_code == 0, result.stderr
    listed = invoke("runs", *source, "--json")
    assert json.loads(result.stdout) == json.loads(listed.stdout)[::-1]
    assert [record["run_id"] for record in json.loads(result.stdout)] == ["run-1", "run-2", "child-1"]
    assert invoke("export", *source, "--json").stdout == result.stdout
    assert result.stdout == json.dumps(json.loads(result.stdout), indent=2) + "\n"


def test_lines_are_records(invoke, source) -> None:
    """One on each line, the same records."""
    lines = invoke("export", *source, "--jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == json.loads(invoke("export", *source).stdout)


def test_filters_narrow_the_export(invoke, source) -> None:
    """The same as those of ``runs``."""
    (record,) = json.loads(invoke("export", *source, "--agent", "fixer").stdout)
    assert record["run_id"] == "run-1"
    assert invoke("export", *source, "--agent", "nobody").stdout == "[]\n"
    assert invoke("export", *source, "--agent", "nobody", "--jsonl").stdout == ""


def test_the_same_telemetry_is_the_same_output(invoke, telemetry, lines, tmp_path: Path) -> None:
    """However it came in, an export without revisions equals what ``compact`` makes of all of it."""
    requests = [telemetry(f"run-{number}", number=number + 1, seconds=number % 3) for number in range(6)]
    (tmp_path / "all.jsonl").write_bytes(lines(*requests))
    for place, request in enumerate([*requests[::-1], *requests[::2]]):
        (tmp_path / f"{place}.jsonl").write_bytes(lines(request))
        invoke("compact", f"{place}.jsonl", "--db", "runs.db")
    (tmp_path / "late.jsonl").write_bytes(lines(telemetry("run-1", number=2, handoff=False, seconds=1)))
    invoke("compact", "late.jsonl", "--db", "runs.db")
    exported = invoke("export", "--db", "runs.db", "--no-revision").stdout
    assert exported == invoke("compact", "all.jsonl", "late.jsonl", "--json", "--no-revision").stdout
    assert "revision" not in exported
    revisions = [record["revision"] for record in json.loads(invoke("export", "--db", "runs.db").stdout)]
    assert sorted(revisions) == [1, 1, 1, 1, 1, 2]


def test_it_ends_quietly_when_nobody_reads_on(program, database: Path) -> None:
    """``agent-otel export | head`` is no failure to tell of."""
    done = program("export", "--db", database)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("limit", [0, 1, 7, 50, 51, 1 << 62])
def test_a_store_is_read_in_pages(tmp_path: Path, invoke, telemetry, lines, limit: int) -> None:
    """Never more than asked for, and nothing twice."""
    requests = [telemetry(f"run-{number:03}", number=number + 1, seconds=number // 5) for number in range(120)]
    (tmp_path / "all.jsonl").write_bytes(lines(*requests))
    invoke("compact", "all.jsonl", "--db", "runs.db")
    store = SqliteStore(tmp_path / "runs.db")
    found = [record.run_id for record in StoreRecords(store).records(RecordQuery(limit=limit, earliest_first=True))]
    store.close()
    assert found == [f"run-{number:03}" for number in range(min(limit, 120))]
