"""Replays: the same run on another day, and nothing of the first one left."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from agent_otel.compaction.policy import Policy
from agent_otel.model.record import RunRecord, encode
from agent_otel.otlp.lines import items_from_line
from agent_otel.service.fold import fold_groups
from history.replay import Replay
from history.variants import CAPTURED, sent

STARTS = datetime(2026, 5, 4, 9, tzinfo=timezone.utc)
CAPTURES = ("claude-code/fix", "codex/killed", "copilot-cli/apifail", "gemini-cli/fix", "openhands-sdk/fix")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_SPAN = re.compile(r'"(?:trace|span)Id": ?"([0-9a-f]+)"')


def _timeless(document: str) -> dict[str, Any]:
    """A record without its times; its traces are in the order of their ids, which are others."""
    plain: dict[str, Any] = json.loads(_TIME.sub("", document))
    plain["capture"]["traces"].sort()
    return plain


def _record(lines: Sequence[str]) -> RunRecord:
    items = [item for line in lines for item in items_from_line(line.encode()).items]
    (record,) = fold_groups(items, policy=Policy())
    return record


@pytest.mark.parametrize("capture", CAPTURES)
def test_a_replay_is_the_same_run_on_another_day(capture: str) -> None:
    """The record is that of the run itself, but for ids and times; those of the replay tell which are whose."""
    replay = Replay(salt="one", starts=STARTS)
    was, now = (encode(_record(lines)).decode() for lines in (sent(capture), replay.lines(sent(capture))))
    assert _timeless(replay.renamed(was)) == _timeless(now) != _timeless(was)
    assert {found[0][:16] for found in _TIME.finditer(now)} == {"2026-05-04T09:00"}


@pytest.mark.parametrize("capture", CAPTURES)
def test_two_replays_have_no_id_in_common(capture: str) -> None:
    """And the same replay is the same every time."""
    lines = sent(capture)
    one, two = (Replay(salt=salt, starts=STARTS).lines(lines) for salt in ("one", "two"))
    ids = [set(_SPAN.findall("".join(each))) for each in (lines, one, two)]
    assert len(set.union(*ids)) == sum(map(len, ids))
    assert len({len(each) for each in ids}) == 1
    assert Replay(salt="one", starts=STARTS).lines(lines) == one


def test_a_replay_may_take_longer() -> None:
    """Everything in it does; nothing moves before its beginning."""
    record = _record(Replay(salt="one", starts=STARTS, lasts=timedelta(hours=5)).lines(sent("broken")))
    assert record.duration_s == pytest.approx(5 * 3600)
    assert record.started == "2026-05-04T09:00:00.000Z"
    assert record.commands[0].duration_s is not None
    assert record.commands[0].duration_s > 60


def test_a_replay_has_its_own_words() -> None:
    """They stand for others at once: none is replaced again."""
    words = {CAPTURED: "Repair fizzbuzz", "fizzbuzz": "cart", "cart": "never"}
    record = _record(Replay(salt="one", starts=STARTS, words=words).lines(sent("copilot-cli/fix")))
    assert record.task.objective == "Repair fizzbuzz"
    assert [file.path for file in record.changed_files] == ["/home/dev/cart/cart.py"]


def test_numbers_that_look_like_ids_stay() -> None:
    """Decimals and integers of sixteen digits are no ids."""
    replay = Replay(salt="one", starts=STARTS)
    kept = '{"doubleValue": 0.6384751980000001, "intValue": "1234567890123456"}'
    assert replay.renamed(kept) == kept
    assert replay.renamed('"6384751980000001"') != '"6384751980000001"'
