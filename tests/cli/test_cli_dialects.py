"""``agent-otel dialects``: whose telemetry is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_otel.compaction.dialects.table import DIALECTS
from agent_otel.service import dialects


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing remembered of what is installed."""
    dialects.installed.cache_clear()
    yield
    dialects.installed.cache_clear()


def test_dialects_are_listed_in_their_order(invoke) -> None:
    """For people and for programs."""
    result = invoke("dialects")
    assert result.exit_code == 0
    for dialect in DIALECTS:
        assert dialect.about in result.stdout
    listed = json.loads(invoke("dialects", "--json").stdout)
    assert [each["name"] for each in listed] == [dialect.name for dialect in DIALECTS]
    assert listed[0] == {
        "name": "agent_otel",
        "about": DIALECTS[0].about,
        "scopes": ["agent_otel"],
        "from": "agent-otel",
    }


def test_every_dialect_says_in_a_line_what_it_reads() -> None:
    """No two have one name."""
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    for dialect in DIALECTS:
        assert 0 < len(dialect.about) <= 120
        assert "\n" not in dialect.about


def test_what_cannot_be_loaded_is_told(invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, and by the exit code; the others are listed all the same."""
    info = tmp_path / "some_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[agent_otel.dialects]\nabsent = nowhere_at_all:Dialect\n")
    monkeypatch.syspath_prepend(tmp_path)
    result = invoke("dialects", "--json")
    assert result.exit_code == 1
    assert "the dialect 'absent' (nowhere_at_all:Dialect) of some-plugin 1.0 is left out" in result.stderr
    assert len(json.loads(result.stdout)) == len(DIALECTS)
