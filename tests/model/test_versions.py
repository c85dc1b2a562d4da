"""Records of every version ever written can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_otel.errors import DecodeError
from agent_otel.model.record import RECORD_VERSION, SCHEMA_ID
from agent_otel.model.versions import UPGRADES, decode, from_builtins, upgrade

RECORDS = Path(__file__).parents[1] / "data" / "records"


def test_every_older_version_has_a_step_and_every_version_a_golden_file() -> None:
    """Raising the version without an upgrade, or without keeping the old form as an example, fails here."""
    assert set(UPGRADES) == set(range(1, RECORD_VERSION))
    assert {path.name for path in RECORDS.glob("v*.json")} == {f"v{n}.json" for n in range(1, RECORD_VERSION + 1)}


@pytest.mark.parametrize("path", sorted(RECORDS.glob("v*.json")), ids=lambda path: path.stem)
def test_golden_file_of_each_version_is_read(path: Path) -> None:
    """A document written by any earlier release becomes a record of today."""
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["schema"] == f"agent-otel/run-record/{path.stem[1:]}"
    record = decode(text)
    assert record.schema == SCHEMA_ID
    assert record.run_id == "coding-2026-05-18-0042"
    assert record.commands[0].result == "failed"
    assert record.verifications[0].reason == "preview service unavailable"


STEPS = {
    1: lambda plain: {**plain, "second": plain["first"] + 1},
    2: lambda plain: {**plain, "third": plain["second"] + 1},
}


@pytest.mark.parametrize(
    ("version", "document"),
    [
        (1, {"first": 1}),
        (2, {"first": 1, "second": 2}),
        (3, {"first": 1, "second": 2, "third": 3}),
    ],
)
def test_document_is_upgraded_step_by_step(version: int, document: dict[str, object]) -> None:
    """From whatever version it starts, it passes every step that is left, and names the version it arrived at."""
    plain = {**document, "schema": f"agent-otel/run-record/{version}"}
    expected = {"first": 1, "second": 2, "third": 3, "schema": "agent-otel/run-record/3"}
    assert upgrade(plain, version=version, target=3, steps=STEPS) == expected


def test_upgrade_leaves_its_input_alone() -> None:
    """The old document stays as it was."""
    plain = {"first": 1, "schema": "agent-otel/run-record/1"}
    upgrade(plain, version=1, target=3, steps=STEPS)
    assert plain == {"first": 1, "schema": "agent-otel/run-record/1"}


def test_version_too_old_to_upgrade_says_what_can_be_read() -> None:
    """A step that was dropped is named by the oldest version that still works."""
    with pytest.raises(DecodeError, match="version 1 cannot be read any more; expected 2 or later"):
        upgrade({}, version=1, target=3, steps={2: STEPS[2]})


def test_newer_version_is_refused() -> None:
    """A program does not guess what a newer one meant."""
    newer = {"schema": f"agent-otel/run-record/{RECORD_VERSION + 1}", "run_id": "r"}
    with pytest.raises(DecodeError, match=f"has version {RECORD_VERSION + 1}, this program reads up to"):
        from_builtins(newer)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"3",
        b"{}",
        b'{"schema": 1}',
        b'{"schema": "other/1"}',
        b'{"schema": "agent-otel/run-record/"}',
        b'{"schema": "agent-otel/run-record/one"}',
        '{"schema": "agent-otel/run-record/\u0661"}'.encode(),
        b'{"schema": "agent-otel/run-record/0"}',
        b'{"schema": "agent-otel/run-record/1"}',
        b'{"schema": "agent-otel/run-record/1", "run_id": "r", "lifecycle": "done", "outcome": "ended"}',
    ],
)
def test_what_is_no_record_is_a_decode_error(document: bytes) -> None:
    """Whatever is wrong with the bytes, it is one kind of error."""
    with pytest.raises(DecodeError):
        decode(document)


def test_fields_of_a_later_release_are_passed_over() -> None:
    """A field added without a new version does not stop an older reader."""
    document = json.loads((RECORDS / "v1.json").read_text(encoding="utf-8"))
    document["later"] = 1
    document["commands"][0]["later"] = 1
    assert from_builtins(document) == decode((RECORDS / "v1.json").read_bytes())
