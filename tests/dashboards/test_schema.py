"""The committed dashboards are what Grafana's own types allow, by the word of the TypeScript compiler."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from boards.__main__ import written

from real.cached import built, grafana_schema

CHECK = Path(__file__).parent / "schema" / "check.ts"
FLAGS = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--target",
    "es2022",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
]
WRONG = (
    ('"showHeader": true', '"showHeader": "yes"'),
    ('"cellHeight": "sm"', '"cellHeight": "tiny"'),
    ('"frameIndex": 0', '"frameIndexx": 0'),
    ('"drawStyle": "bars"', '"drawStyle": "bricks"'),
    ('"lineWidth"', '"lineWidht"'),
    ('"graphTooltip": 1', '"graphTooltip": 7'),
    ('"type": "table"', '"type": "tabel"'),
    ('"schemaVersion": 39', '"schemaVersion": "39"'),
    ('"unit": ', '"unti": '),
    ('"timezone"', '"timezoen"'),
)

Refused = Callable[[Mapping[str, str]], set[str]]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Gives the names of those dashboards that are no dashboards."""
    packages = built(grafana_schema())
    (tmp_path / "node_modules").symlink_to(packages)
    shutil.copy(CHECK, tmp_path)

    def names(dashboards: Mapping[str, str]) -> set[str]:
        for name, document in dashboards.items():
            text = f'import type {{ Known }} from "./check";\nexport const it: Known = {document}'
            (tmp_path / f"{name}.ts").write_text(text)
        done = subprocess.run(
            ["node", packages / "typescript" / "bin" / "tsc", *FLAGS, *(f"{name}.ts" for name in dashboards)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        found = set(re.findall(r"^([\w-]+)\.ts\(", done.stdout, re.MULTILINE))
        assert bool(found) == bool(done.returncode), done.stdout + done.stderr
        return found

    return names


def test_every_dashboard_is_one(refused: Refused) -> None:
    """With all of its variables, links, panels, their options and fields."""
    assert refused({name.partition(".")[0]: document for name, document in written().items()}) == set()


def test_what_is_wrong_is_found(refused: Refused) -> None:
    """Words that Grafana does not know, values of another kind, kinds of panels that are not checked."""
    right = written()["evidence.json"]
    assert all(was in right for was, _ in WRONG)
    wrong = {f"wrong-{number}": right.replace(was, is_, 1) for number, (was, is_) in enumerate(WRONG)}
    assert refused({**wrong, "right": right}) == set(wrong)
