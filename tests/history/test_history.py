"""What commands find in a history of 120 days: all that was planted, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from agent_otel.cli.main import main
from history.plan import DAYS, RUNS, START, History

BEGINNING = f"{START:%Y-%m-%d}"


class Score(NamedTuple):
    """How much of what was found was planted, and how much of what was planted was found."""

    precision: float
    recall: float

    @classmethod
    def of(cls, found: Iterable[Hashable], planted: Iterable[Hashable]) -> Score:
        """Each thing counts as often as it is there."""
        told, there = Counter(found), Counter(planted)
        right = (told & there).total()
        return cls(right / told.total(), right / there.total())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder without a contract."""
    monkeypatch.chdir(tmp_path)


def _told(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.stdout


def test_all_incidents_are_found_and_none_is_invented(history: History, kept: str) -> None:
    """Precision and recall are 1, in each kind of store, whatever order the telemetry came in."""
    code, told = _told("incidents", "--db", kept, "--since", BEGINNING, "--json")
    found = history.found(json.loads(told)["incidents"])
    score = Score.of(found, history.planted)
    print(f"incidents in {kept.partition(':')[0]}: {score}, {len(found)} in {RUNS} runs")  # noqa: T201 - for a look
    assert sorted(found) == sorted(history.planted)
    assert score == Score(precision=1.0, recall=1.0)
    assert code == 1


def test_the_history_is_as_it_was_planned(history: History, kept: str) -> None:
    """A few hundred runs of several agents over 120 days, each of which has a record."""
    _, told = _told("runs", "--db", kept, "--limit", "10000", "--json")
    records = [record for record in json.loads(told) if not record.get("parent_run")]
    assert {record["run_id"] for record in records} == history.names.keys()
    assert len({record["agent"].get("name") for record in records}) >= 9
    days = sorted(record["started"][:10] for record in records)
    assert days[0] >= BEGINNING
    assert len(set(days)) > DAYS / 2
    assert len(history.planted) >= 18
