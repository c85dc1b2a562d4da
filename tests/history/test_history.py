"""What commands find in a history of 120 days: all that was planted, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from agent_otel.cli.main import main
from history import repository
from history.plan import DAYS, RUNS, START, History, Sighting

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


def test_the_review_finds_all_patterns_and_what_came_of_changes_and_ideas(
    history: History, kept: str, tmp_path: Path
) -> None:
    """Each pattern with its runs, each change with its effect, each rejected idea that should not have been."""
    repository.written(history, tmp_path, kept)
    until = f"{START + timedelta(days=DAYS):%Y-%m-%d}"
    code, told = _told("review", "--db", kept, "--since", BEGINNING, "--until", until, "--today", until, "--json")
    found = json.loads(told)
    sightings = [
        Sighting(row["pattern"], history.named(each["runs"])) for row in found["patterns"] for each in row["sightings"]
    ]
    tagged = [page for page in repository.PAGES if page.pattern]
    tags = [Sighting(page.pattern, tuple(run.name for run in history.of(page.story)[:2])) for page in tagged]
    planted = [*history.patterns, *tags, Sighting("stale-harness", ())]
    effects = [(each["file"], each["effect"]) for each in found["changes"]]
    ideas = [
        (idea["idea"], sorted({name for each in idea["returned"] for name in history.named(each["runs"]["latest"])}))
        for idea in found["rejected_ideas"]
    ]
    came_back = [
        (page.idea, [history.of(page.story)[at].name for at in repository.RETURNED[page.story]])
        for page in repository.PAGES
        if page.story in repository.RETURNED
    ]
    scores = {
        "patterns": Score.of(sightings, planted),
        "changes": Score.of(effects, [(page.file, page.effect) for page in repository.PAGES]),
        "rejected ideas": Score.of(map(str, ideas), map(str, came_back)),
    }
    print(f"review in {kept.partition(':')[0]}: {scores}, {len(sightings)} sightings")  # noqa: T201 - for a look
    assert sorted(sightings) == sorted(planted)
    assert sorted(effects) == sorted((page.file, page.effect) for page in repository.PAGES)
    assert sorted(ideas) == sorted(came_back)
    assert set(scores.values()) == {Score(precision=1.0, recall=1.0)}
    assert code == 0


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
