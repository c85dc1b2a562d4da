"""Writes ``records.json`` of every case of real agents' telemetry, or of those named.

usage: PYTHONPATH=tests python tests/data/dialects/regenerate.py [CASE…]
"""

from __future__ import annotations

import json
import sys

from dialect_cases import FOLDER, items_of, name_of, records_of


def main(names: list[str]) -> None:
    """Rewrites the cases."""
    for case in sorted({path.parent for path in FOLDER.glob("*/*/*.jsonl.gz")}):
        if not names or name_of(case) in names:
            records = records_of([items_of(case)])
            (case / "records.json").write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
