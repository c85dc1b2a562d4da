"""Golden runs, as data: each case's items give its record, to the byte, in any order and however often."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.policy import Policy
from agent_otel.model.item import Log, Span
from agent_otel.model.record import encode, to_builtins

CASES = sorted(path for path in (Path(__file__).parents[1] / "data" / "runs").iterdir() if path.is_dir())


def given(case: Path) -> tuple[list[Span | Log], int, Policy]:
    """The items of a case, and how it is compacted."""
    kinds = {"span": Span, "log": Log}
    entries = json.loads((case / "in.json").read_bytes())
    items = [msgspec.convert(value, kinds[kind]) for entry in entries for kind, value in entry.items()]
    how = json.loads((case / "policy.json").read_bytes())
    return items, how["now_ns"], msgspec.convert(how.get("policy", {}), Policy)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_its_record(case: Path) -> None:
    """After a wanted change run ``tests/data/runs/regenerate.py``, and read the difference."""
    items, now_ns, policy = given(case)
    records = [to_builtins(record) for record in compact(items, now_ns=now_ns, policy=policy)]
    assert json.loads(json.dumps(records)) == json.loads((case / "record.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_order_and_repetition_do_not_matter(case: Path) -> None:
    """Ten shuffles with repetitions give the same bytes."""
    items, now_ns, policy = given(case)
    expected = [encode(record) for record in compact(items, now_ns=now_ns, policy=policy)]
    for seed in range(10):
        chance = random.Random(seed)
        shuffled = [*items, *chance.choices(items, k=len(items))]
        chance.shuffle(shuffled)
        assert [encode(record) for record in compact(shuffled, now_ns=now_ns, policy=policy)] == expected
