"""Runs of one agent that happen at the same time stay apart, and none of them changes for the others' sake."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.lines import items_from_line
from dialect_cases import CASES, name_of, records_of

SESSIONS = (*names.GROUP_KEYS, "service.instance.id", "prompt.id", "turn.id", "agent_id", "gen_ai.response.id")
"""Attributes whose values are the names of one session, process or turn: each run has its own."""
IDS = ("traceId", "spanId", "parentSpanId")
RUNS = 3


def requests_of(case: Path) -> list[str]:
    """The requests of a case."""
    return [
        line for file in sorted(case.glob("*.gz")) for line in gzip.decompress(file.read_bytes()).decode().splitlines()
    ]


def names_in(value: Any) -> set[str]:
    """The ids of traces, spans and sessions anywhere in a request."""
    if isinstance(value, list):
        return {name for each in value for name in names_in(each)}
    if not isinstance(value, dict):
        return set()
    found = {value[key] for key in IDS if value.get(key)}
    if value.get("key") in SESSIONS:
        found |= {text for text in (value.get("value") or {}).values() if isinstance(text, str) and text}
    return found | {name for each in value.values() for name in names_in(each)}


def renamed(requests: list[str], known: set[str], number: int) -> list[Item]:
    """The items of another run like this one: other ids, and all else the same, ids of tool calls too."""
    digits = str.maketrans("0123456789abcdef", "123456789abcdef0" if number == 1 else "23456789abcdef01")
    pattern = re.compile("|".join(sorted(map(re.escape, known), key=len, reverse=True)))
    told = (
        [pattern.sub(lambda match: match[0].translate(digits), request) for request in requests] if number else requests
    )
    return [item for request in told for item in items_from_line(request.encode()).items]


def said(record: dict[str, Any]) -> tuple[Any, ...]:
    """What a record tells, without ids."""
    return (
        record["lifecycle"],
        record["outcome"],
        bool(record.get("parent_run")),
        record.get("task"),
        [(each["command"], each["result"]) for each in record.get("commands", [])],
        [each["path"] for each in record.get("files_inspected", [])],
        [each["path"] for each in record.get("changed_files", [])],
        record.get("tool_calls"),
        record.get("usage"),
    )


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_runs_side_by_side_stay_apart(case: Path) -> None:
    """Three runs of the same agent in the same repository, their telemetry interleaved, are three times the records."""
    requests = requests_of(case)
    known = {name for request in requests for name in names_in(json.loads(request))}
    each = [renamed(requests, known, number) for number in range(RUNS)]
    together = [item for items in zip(*each, strict=True) for item in items]
    alone = json.loads((case / "records.json").read_text(encoding="utf-8"))
    found = records_of([together])
    assert sorted(map(repr, map(said, found))) == sorted(RUNS * list(map(repr, map(said, alone))))
