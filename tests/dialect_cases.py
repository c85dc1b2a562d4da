"""The cases of real agents' telemetry: their items, and the records that compaction makes of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agent_otel.cli.intake import intake_store
from agent_otel.model.item import Item, Log, Span
from agent_otel.model.record import to_builtins
from agent_otel.otlp.lines import items_from_line
from agent_otel.otlp.views import views

FOLDER = Path(__file__).parent / "data" / "dialects"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/records.json"))


def name_of(case: Path) -> str:
    """``codex/fix``."""
    return str(case.relative_to(FOLDER))


def items_of(case: Path) -> list[Item]:
    """The items of a case, in the order in which they came, signal by signal."""
    files = sorted(case.glob("*.jsonl.gz"))
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    return [item for line in lines for item in items_from_line(line).items]


def views_of(case: Path) -> list[Span | Log]:
    """What the items say."""
    return views(items_of(case))


def records_of(batches: Iterable[Sequence[Item]]) -> Any:
    """The records of items that come to a store in batches, as JSON; how often a record changed is left out."""
    with intake_store(None) as store:
        for batch in batches:
            store.put(batch)
        built = [to_builtins(record) for record in store.folded()]
    return json.loads(json.dumps([{key: value for key, value in each.items() if key != "revision"} for each in built]))
