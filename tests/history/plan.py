"""Who did what when: the stories and, around them, work in which nothing is wrong; by a seed, the same every time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any, Final, NamedTuple

from history.replay import Replay
from history.stories import STORIES, TRUNK, Caught, Late, Step, Story
from history.variants import (
    AGENT,
    BRANCH,
    CAPTURED,
    CAPTURES,
    CHECK,
    DAY,
    OBJECTIVE,
    RUN,
    UNREAD,
    VARIANTS,
    WORKSPACE,
    sent,
)

START: Final = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
DAYS: Final = 120
RUNS: Final = 240

_AGENTS: Final = ("cart-bot", "migrator", "triage")
_REPOSITORIES: Final = ("shop", "billing", "handbook")
_GOOD: Final = {
    "done": 60, "blind": 6, "refused": 6, "lost": 6, "claude-code/fix": 6, "claude-code/defaults": 3,
    "copilot-cli/fix": 4, "gemini-cli/fix": 4, "qwen-code/fix": 4, "openhands-sdk/fix": 4,
}  # fmt: skip
"""Runs that are no incident, however many there are, and how many of a hundred."""


class Run(NamedTuple):
    """A run of the history: what is replayed when, and in which words."""

    name: str
    variant: str
    replay: Replay
    late: Late | None = None
    caught: Caught | None = None
    redo_of: str = ""

    def lines(self) -> list[str]:
        """What it sends."""
        return self.replay.lines(sent(self.variant))

    @property
    def run_id(self) -> str:
        """What its record is called."""
        return self.replay.renamed(RUN if self.variant in VARIANTS else _captured_id(self.variant))

    def after(self, hours: float) -> str:
        """So long after its beginning, as commands take it."""
        return f"{self.replay.starts + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


class Incident(NamedTuple):
    """An incident that was planted, by the names of its runs."""

    trigger: str
    runs: tuple[str, ...]


class Sighting(NamedTuple):
    """A pattern that was planted, by the names of its runs."""

    pattern: str
    runs: tuple[str, ...]


class History:
    """A history of so many runs.

    Args:
        seed: what is drawn: when each story begins, and what is around it.
        runs: how many.
    """

    def __init__(self, *, seed: int = 7, runs: int = RUNS) -> None:
        chosen = random.Random(seed)
        self.planted: list[Incident] = []
        self.patterns: list[Sighting] = []
        self.runs: list[Run] = []
        for number, story in enumerate(STORIES):
            self._plant(number, story, chosen)
        for number in range(runs - len(self.runs)):
            said = {AGENT: chosen.choice(_AGENTS), WORKSPACE: chosen.choice(_REPOSITORIES)}
            step = Step(*chosen.choices(list(_GOOD), _GOOD.values()), minutes=chosen.uniform(4, 40))
            starts = START + timedelta(days=chosen.uniform(0, DAYS))
            self.runs.append(run_of(f"work {number}", step, starts, said, f"w{number}"))
        self.patterns += [Sighting("unfamiliar-area", (run.name,)) for run in self.runs if run.variant in UNREAD]

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of the runs by their ids."""
        return {run.run_id: run.name for run in self.runs}

    def found(self, incidents: Iterable[dict[str, Any]]) -> list[Incident]:
        """The incidents that a program tells, by the names of their runs."""
        return [Incident(each["trigger"], self.named(each["runs"])) for each in incidents]

    def named(self, run_ids: Iterable[str]) -> tuple[str, ...]:
        """The names of runs."""
        return tuple(map(self.names.__getitem__, run_ids))

    def of(self, story: str) -> list[Run]:
        """The runs of a story."""
        return [run for run in self.runs if run.name.startswith(f"{story}, run ")]

    def _plant(self, number: int, story: Story, chosen: random.Random) -> None:
        latest = max(step.after for step in story.steps) + timedelta(days=1)
        drawn = chosen.random() * (timedelta(days=DAYS) - latest)
        starts = START + (drawn if story.day is None else timedelta(days=story.day))
        runs = list(_told(number, story, starts, chosen))
        for place, step in enumerate(story.steps):
            if step.again is not None:
                runs[place] = runs[place]._replace(redo_of=runs[step.again].run_id)
        self.runs += runs
        for trigger, places in story.incidents:
            self.planted.append(Incident(trigger, tuple(runs[at].name for at in places)))
        for pattern, places in story.patterns:
            self.patterns.append(Sighting(pattern, tuple(runs[at].name for at in places)))


def _told(number: int, story: Story, starts: datetime, chosen: random.Random) -> Iterator[Run]:
    where: dict[str, str] = {}
    for place, step in enumerate(story.steps, start=1):
        task = step.task if step.branch == TRUNK else step.branch
        repository = where.setdefault(task, story.repository or chosen.choice(_REPOSITORIES))
        name = f"{story.about}, run {place}"
        said = {AGENT: chosen.choice(_AGENTS), WORKSPACE: repository}
        yield run_of(name, step, starts + step.after, said, f"s{number}")


def run_of(name: str, step: Step, starts: datetime, said: dict[str, str], module: str) -> Run:
    """A run that takes the step of a story.

    Args:
        name: what to call it.
        step: what it is like.
        starts: when it begins.
        said: words that it says instead of others.
        module: what its files, checks and tasks are called by.
    """
    words = {
        DAY: f"{starts:%Y%m%d}",
        OBJECTIVE: f"Make {module} count to its limit {step.task}".rstrip(),
        CAPTURED: f"Find out what is wrong with {module} {step.task}".rstrip(),
        CHECK: f"{module} tests",
        BRANCH: step.branch,
        "fizzbuzz": module,
        "test_fizz": f"test_{module}",
        "src/fizz": f"src/{module}/count",
        "src/words": f"src/{module}_words/words",
        "fizz-tag": f"{module}-tag",
        **said,
    }
    lasts = timedelta(minutes=step.minutes) if step.variant in VARIANTS else None
    starts = starts.replace(microsecond=0)
    return Run(name, step.variant, Replay(salt=name, starts=starts, lasts=lasts, words=words), step.late, step.caught)


def _captured_id(capture: str) -> str:
    records = json.loads((CAPTURES / capture / "records.json").read_text(encoding="utf-8"))
    (found,) = (record["run_id"] for record in records if not record.get("parent_run"))
    return str(found)
