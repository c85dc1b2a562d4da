"""Fetches the types that Grafana publishes of its dashboards, and the compiler that holds ours against them."""

from __future__ import annotations

import shutil
from pathlib import Path

from make import once, program, run

from real.cached import ROOT, grafana_schema


def ensure() -> Path:
    """The folder of the packages."""
    return once(grafana_schema(), _make)


def _make(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests" / "dashboards" / "schema" / name, folder)
    program("node", packages=("nodejs", "npm"), says="install Node.js 20 or newer")
    run([program("npm", packages=("npm",), says="install npm"), "ci", "--no-audit", "--no-fund"], cwd=folder)
