"""Golden cases of the review, as data: each a record of a few lines, with what it has to give."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from agent_otel.model.record import SCHEMA_ID, RunRecord
from agent_otel.model.versions import from_builtins

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER: Final = Path(__file__).parent / "data" / "review"
BASE: Final[dict[str, Any]] = {
    "run_id": "r",
    "lifecycle": "settled",
    "outcome": "ended",
    "capture": {"root_seen": True, "complete": True},
    "final": {"tree": "fffffff"},
    "handoff": {"status": "ready", "next_action": "merge"},
}
"""A finished run about which nothing can be said: what a case does not say, and is not ``without``."""


def documents(kind: str) -> dict[str, dict[str, Any]]:
    """The files of a folder, by their names without the ending."""
    return {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted((FOLDER / kind).glob("*.toml"))}


def record_of(case: dict[str, Any]) -> RunRecord:
    """The record of a case; each field that it states replaces that of the base."""
    plain = {
        **{name: value for name, value in BASE.items() if name not in case.get("without", ())},
        **case.get("record", {}),
    }
    record = from_builtins({"schema": SCHEMA_ID, "revision": 1, **plain})
    _same(record, case.get("record", {}))
    return record


def _same(value: Any, told: Any) -> None:
    """Holds what was read against what was told: a name that no record knows is a mistake in the case."""
    if isinstance(told, dict):
        for name, inner in told.items():
            _same(value[name] if isinstance(value, dict) else getattr(value, name), inner)
    elif isinstance(told, list):
        for each, inner in zip(value, told, strict=True):
            _same(each, inner)
    else:
        assert value == told
