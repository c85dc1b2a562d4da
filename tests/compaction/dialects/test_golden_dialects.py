"""Real agents' own telemetry becomes the records it should, in whatever order and pieces it comes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from dialect_cases import CASES, items_of, name_of, records_of


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_capture_gives_its_records(case: Path) -> None:
    """After a wanted change run ``tests/data/dialects/regenerate.py``, and read the difference."""
    assert records_of([items_of(case)]) == json.loads((case / "records.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_order_and_repetition_do_not_matter(case: Path) -> None:
    """Shuffled, with a third of the items twice, in many small pieces."""
    chance = random.Random(name_of(case))
    items = items_of(case)
    items += chance.choices(items, k=len(items) // 3)
    chance.shuffle(items)
    pieces = [items[at : at + 50] for at in range(0, len(items), 50)]
    assert records_of(pieces) == json.loads((case / "records.json").read_text(encoding="utf-8"))
