"""Writes ``record.json`` of every golden case (or of those named) from ``in.json`` and ``policy.json``.

usage: python tests/data/runs/regenerate.py [CASE…]

Then read the difference: it is what the change does to records.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from agent_otel.compaction.compact import compact
from agent_otel.compaction.policy import Policy
from agent_otel.model.item import Log, Span
from agent_otel.model.record import to_builtins

HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    """Rewrites the cases."""
    for case in sorted(HERE / name for name in names) if names else sorted(HERE.glob("*/")):
        given = json.loads((case / "in.json").read_bytes())
        items = [msgspec.convert(v, {"span": Span, "log": Log}[kind]) for entry in given for kind, v in entry.items()]
        how = json.loads((case / "policy.json").read_bytes())
        policy = msgspec.convert(how.get("policy", {}), Policy)
        records = [to_builtins(record) for record in compact(items, now_ns=how["now_ns"], policy=policy)]
        (case / "record.json").write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
