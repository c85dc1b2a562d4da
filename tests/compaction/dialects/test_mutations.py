"""Telemetry in shapes that nobody has seen: real captures, damaged. Nothing breaks, and no pass is made up."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.compaction.compact import compact
from agent_otel.model.item import Log, Span
from agent_otel.model.record import Command, RunRecord, encode
from agent_otel.review.judge import judge
from dialect_cases import CASES, name_of, views_of

LATER = 10**19
MOST = 400
"""Of a long capture this many items are tried at a time."""

Items = list[Span | Log]


def _attribute(items: Items, chance: random.Random) -> tuple[int, dict[str, Any], str] | None:
    at = chance.randrange(len(items))
    attributes = dict(items[at].attributes)
    return (at, attributes, chance.choice(sorted(attributes))) if attributes else None


def _changed(change: Callable[[dict[str, Any], str, random.Random], None]) -> Callable[[Items, random.Random], None]:
    def mutate(items: Items, chance: random.Random) -> None:
        if found := _attribute(items, chance):
            at, attributes, key = found
            change(attributes, key, chance)
            items[at] = replace(items[at], attributes=attributes)

    return mutate


def _missing(attributes: dict[str, Any], key: str, _: random.Random) -> None:
    del attributes[key]


def _renamed(attributes: dict[str, Any], key: str, chance: random.Random) -> None:
    attributes[chance.choice([f"x.{key}", key.upper(), key.replace(".", "_"), key + "s"])] = attributes.pop(key)


def _retyped(attributes: dict[str, Any], key: str, chance: random.Random) -> None:
    value = attributes[key]
    shapes = [str(value), (value,), {"value": value}, None, str(value).encode(), "", f" {value} "]
    attributes[key] = chance.choice(shapes)


def _cut(attributes: dict[str, Any], key: str, chance: random.Random) -> None:
    if isinstance(value := attributes[key], str) and value:
        attributes[key] = value[: chance.randrange(len(value))]


def _twice(items: Items, chance: random.Random) -> None:
    item = chance.choice(items)
    items.append(replace(item, attributes={**item.attributes, "x.copy": True}, digest=b"x"))


def _dropped(items: Items, chance: random.Random) -> None:
    items.pop(chance.randrange(len(items)))


def _bare(items: Items, chance: random.Random) -> None:
    at = chance.randrange(len(items))
    items[at] = replace(items[at], resource={}, attributes={})


def _without_status(items: Items, chance: random.Random) -> None:
    at = chance.randrange(len(items))
    if isinstance(item := items[at], Span):
        items[at] = replace(item, status=0, status_message="", events=())


def _orphaned(items: Items, chance: random.Random) -> None:
    at = chance.randrange(len(items))
    if isinstance(item := items[at], Span):
        items[at] = replace(item, parent_id="f" * 16, end_ns=chance.choice([0, item.end_ns]))


MUTATIONS = [
    *map(_changed, [_missing, _renamed, _retyped, _cut]),
    _twice,
    _dropped,
    _bare,
    _without_status,
    _orphaned,
]


@lru_cache(maxsize=64)
def whole(case: Path) -> tuple[Items, list[RunRecord]]:
    """A case as it was sent, and its records: all of it is taken for one group."""
    items = views_of(case)
    return items, compact(items, now_ns=LATER)


def commands_of(records: list[RunRecord]) -> list[Command]:
    """The commands of all runs."""
    return [command for record in records for command in record.commands]


def moment(command: Command) -> float:
    """When a command started, in seconds."""
    return datetime.fromisoformat((command.started or "1970-01-01T00:00:00Z").replace("Z", "+00:00")).timestamp()


def lies(found: list[RunRecord], truth: list[RunRecord]) -> list[str]:
    """Commands said to have passed that did not.

    By the command with the same first words that began at that time; where the time is only a bound, since nothing but
    a history tells of the command, there may be as many passes as there were.
    """
    told = [command for command in commands_of(found) if command.result == "passed"]
    known = commands_of(truth)
    wrong = []
    for command in told:
        line = command.command[:8]
        alike = [each for each in known if each.command.startswith(line)]
        nearest = min(alike, key=lambda each: abs(moment(each) - moment(command)), default=None)
        passed = sum(each.result in ("passed", "unknown") for each in alike)
        if nearest is None or (
            nearest.result not in ("passed", "unknown") and sum(each.command.startswith(line) for each in told) > passed
        ):
            wrong.append(f"{command.command} at {command.started}")
    return wrong


@pytest.mark.parametrize("case", CASES, ids=name_of)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_damage_breaks_nothing_and_makes_no_pass(case: Path, seed: int) -> None:
    """Attributes missing, renamed, retyped, cut, items doubled and lost: no error, and no pass that was none."""
    chance = random.Random(seed)
    items, records = whole(case)
    damaged = list(items) if len(items) <= MOST else chance.sample(items, MOST)
    for _ in range(chance.choice([1, 1, 2, 5, 20, 60])):
        chance.choice(MUTATIONS)(damaged, chance)
        if not damaged:
            return
    found = [judge(record) for record in compact(damaged, now_ns=LATER)]
    assert all(encode(record) for record in found)
    assert not lies(found, records)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_one_attribute_less_never_makes_a_failure_a_pass(case: Path) -> None:
    """Each attribute of each item of a command that failed, left out one at a time."""
    items, records = whole(case)
    failed = {
        command.span for record in records for command in record.commands if command.result not in ("passed", "unknown")
    }
    made_up = []
    for at, item in enumerate(items):
        if item.ref in failed:
            for key in item.attributes:
                less = {name: value for name, value in item.attributes.items() if name != key}
                found = compact([*items[:at], replace(item, attributes=less), *items[at + 1 :]], now_ns=LATER)
                made_up += [(key, lie) for lie in lies(found, records)]
    assert not made_up


def ended_by(item: Span | Log) -> int:
    """When an item could have been sent at the earliest."""
    return item.end_ns if isinstance(item, Span) else item.time_ns


def last_command(records: list[RunRecord]) -> int:
    """When the last command of any run started, 0 where there is none."""
    return max((int(moment(command) * 1000) * 1_000_000 for command in commands_of(records)), default=0)


LOSING_REQUESTS = ("frameworks/litellm-latest-events",)
"""Their answers leave out which tools were asked for, and say "stop": each looks like the last one."""


@pytest.mark.parametrize("case", [case for case in CASES if name_of(case) not in LOSING_REQUESTS], ids=name_of)
def test_a_run_that_was_cut_off_did_not_end_well(case: Path) -> None:
    """What had been sent by any moment before its last command: no run has ended well, and no pass is made up."""
    items, records = whole(case)
    last = last_command(records)
    times = sorted({ended_by(item) for item in items if 0 < ended_by(item) < last})
    for until in times[:: max(len(times) // 12, 1)]:
        found = compact([item for item in items if 0 < ended_by(item) <= until], now_ns=LATER)
        assert not lies(found, records)
        assert "ended" not in {record.outcome for record in found if not record.parent_run}


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("kind", [Span, Log], ids=["spans", "logs"])
def test_one_signal_alone_tells_no_lies(case: Path, kind: type[Span | Log]) -> None:
    """Exporters of one signal exist: neither is needed, and what only the other knows is not made up."""
    items, records = whole(case)
    found = compact([item for item in items if isinstance(item, kind)], now_ns=LATER)
    assert not lies(found, records)
    ended = {record.outcome for record in records} | {"unknown"}
    assert {record.outcome for record in found} - {"interrupted", "unknown"} <= ended
