"""Writes the JSON of all dashboards: ``python dashboards/boards``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

if not __package__:  # started as a folder: what is to be found is the package around this file, not its modules
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from boards.all import DASHBOARDS

FOLDER = Path(__file__).resolve().parents[1] / "grafana"


def written() -> dict[str, str]:
    """File name to content."""
    return {f"{each.name}.json": json.dumps(each.document(), indent=2) + "\n" for each in DASHBOARDS}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in written().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
