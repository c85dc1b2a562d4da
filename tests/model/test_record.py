"""Run records as documents: encode, decode, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import jsonschema
import msgspec
import pytest

from agent_otel.model import record as model
from agent_otel.model.record import Handoff, OpenSpan, RunRecord, Verdict, encode, json_schema
from agent_otel.model.versions import decode

SHIPPED = Path(model.__file__).with_name("run-record.schema.json")
GOLDEN = Path(__file__).parents[1] / "data" / "records" / "v1.json"
SMALLEST = RunRecord(run_id="r", lifecycle="open", outcome="unknown")


def example() -> RunRecord:
    """The run of the design."""
    return decode(GOLDEN.read_bytes())


@pytest.mark.parametrize("record", [SMALLEST, example()])
def test_decode_undoes_encode(record: RunRecord) -> None:
    """A record read back is the record that was written, and is written the same again."""
    assert decode(encode(record)) == record
    assert encode(decode(encode(record))) == encode(record)


def test_record_is_one_line_of_json() -> None:
    """Records can be kept as JSON lines."""
    assert b"\n" not in encode(example())


def test_lists_are_always_written_and_null_never() -> None:
    """Readers need not test whether a list is there; what was not recorded is absent."""
    plain = json.loads(encode(SMALLEST))
    lists = [
        "context_sources", "files_inspected", "changed_files", "commands", "tool_calls", "failures", "decisions",
        "verifications", "skipped_checks", "gates", "claims", "open_risks", "near_misses", "redo_of",
        "findings",
    ]  # fmt: skip
    assert all(plain[name] == [] for name in lists)
    assert plain["capture"]["traces"] == []
    assert plain["capture"]["open_spans"] == []
    assert plain["budgets"] == {}
    assert "null" not in encode(SMALLEST).decode()
    assert "handoff" not in plain
    with_handoff = encode(msgspec.structs.replace(SMALLEST, handoff=Handoff(status="done")))
    lists = {name: [] for name in ("blockers", "assumptions", "risks", "look_twice", "missing")}
    assert json.loads(with_handoff)["handoff"] == {"status": "done", **lists}


def test_field_names_are_those_of_the_design() -> None:
    """Tools rely on these names; a change of one is a new version."""
    assert list(RunRecord.__struct_fields__) == [
        "schema", "run_id", "revision", "lifecycle", "outcome", "parent_run", "redo_of", "agent", "started",
        "ended", "duration_s", "task", "base", "final", "context_sources", "files_inspected", "changed_files",
        "commands", "tool_calls", "failures", "decisions", "verifications", "skipped_checks", "gates", "budgets",
        "usage", "claims", "open_risks", "handoff", "final_status", "near_misses", "review_state", "findings",
        "capture",
    ]  # fmt: skip


@pytest.mark.parametrize("record", [SMALLEST, example()])
def test_schema_accepts_every_document(record: RunRecord) -> None:
    """What is written satisfies the schema that is shipped."""
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(encode(record)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("lifecycle",), "finished"),
        (("commands", 0, "result"), "ok"),
        (("commands", 0, "exit_code"), "1"),
        (("verifications", 0, "verdict"), "trust me"),
        (("capture", "spans"), "many"),
    ],
)
def test_schema_refuses_what_is_no_record(path: tuple, value: object) -> None:
    """The schema is strict about words and types."""
    document = json.loads(encode(example()))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json_schema()).validate(document)


def test_schema_is_a_schema_and_the_shipped_file_is_it() -> None:
    """The file in the package is made from the classes: ``agent-otel record schema`` prints it."""
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert SHIPPED.read_text(encoding="utf-8") == json.dumps(json_schema(), indent=2) + "\n"


def test_entries_are_frozen_and_closed() -> None:
    """A record cannot be changed in place, and a wrong field name fails at once."""
    with pytest.raises(AttributeError):
        SMALLEST.run_id = "other"
    with pytest.raises(TypeError):
        OpenSpan(span="t/s", nme="x")


def test_verdicts_are_those_of_the_design() -> None:
    """The closed set of verdicts."""
    assert set(get_args(Verdict)) >= {"proved", "stale", "contradicted", "claimed", "not_run", "unverifiable"}
