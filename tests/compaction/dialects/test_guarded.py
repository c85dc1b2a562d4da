"""Dialects from elsewhere that break their promises: telemetry is folded all the same, and the record says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.guarded import Guarded
from agent_otel.compaction.dialects.table import beside
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
ITEM = Span(trace_id="a" * 32, span_id="b" * 16, name="turn", start_ns=S, end_ns=2 * S, scope="plugin")
AGENT = Span(
    trace_id="a" * 32,
    span_id="c" * 16,
    start_ns=S,
    end_ns=3 * S,
    attributes={names.OPERATION_NAME: names.INVOKE_AGENT, names.AGENT_NAME: "fixer"},
)
LOG = Log(key="d" * 32, time_ns=S, scope="plugin", trace_id="a" * 32)
CALL = fact.ToolCalled(ref=ITEM.ref, time_ns=S, name="open", outcome="ok")


class Plugin:
    """A dialect of a test; each answer can be replaced by another, or by a function that gives or raises it."""

    name = "plugin"
    about = "a test"
    scopes = ("plugin",)

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def _answer(self, question: str, otherwise: Any, *asked: Any) -> Any:
        answer = self._answers.get(question, otherwise)
        return answer(*asked) if callable(answer) else answer

    def claims(self, item: Span | Log) -> Any:
        return self._answer("claims", item.scope == "plugin", item)

    def place(self, item: Span | Log) -> Any:
        return self._answer("place", None, item)

    def backdrop(self, item: Span | Log) -> Any:
        return self._answer("backdrop", False, item)

    def read(self, items: Any, forest: Any) -> Any:
        return self._answer("read", [Sighting(CALL, item, "any") for item in items], items)


def broken(*_: Any) -> Any:
    """What no dialect may do."""
    raise LookupError("out of order")


def half_way(items: Any) -> Iterator[Sighting]:
    """Breaks after the first half of the story."""
    yield Sighting(CALL, items[0], "plugin")
    raise LookupError("out of order")


def folded(*items: Span | Log, tell: Callable[[str, Exception], object] = lambda *_: None, **answers: Any) -> RunRecord:
    """The one record of the items."""
    (record,) = compact(items, now_ns=100 * S, dialects=beside([Guarded(Plugin(**answers), tell)]))
    return record


def test_a_dialect_that_keeps_its_promises_is_not_in_the_way() -> None:
    """Its facts, its places and its name are in the record."""
    record = folded(ITEM, place=Place("session"))
    assert record.run_id == "session"
    assert [call.name for call in record.tool_calls] == ["open"]
    assert record.agent.dialect == "plugin"
    assert record.capture.limits == ()


def test_the_place_of_a_part_has_a_parent() -> None:
    """Both ids are text."""
    guarded = Guarded(Plugin(place=Place("child", "parent")), broken)
    assert guarded.claims(ITEM)
    assert guarded.place(ITEM) == Place("child", "parent")
    assert guarded.place(AGENT) is None


def test_what_makes_no_run_makes_none() -> None:
    """Its word about the backdrop counts."""
    assert compact([ITEM], now_ns=S, dialects=beside([Guarded(Plugin(backdrop=True), broken)])) == []


BREACHES: dict[str, dict[str, Any]] = {
    "claims raises": {"claims": broken},
    "place raises": {"place": broken},
    "place is text": {"place": "session"},
    "place is of no run": {"place": Place("")},
    "place is of a number": {"place": Place(1)},  # type: ignore[arg-type]  # as written by somebody without types
    "parent is a number": {"place": Place("a", 1)},  # type: ignore[arg-type]  # as above
    "backdrop raises": {"backdrop": broken},
    "read raises": {"read": broken},
    "read raises half-way": {"read": half_way},
    "read gives nothing": {"read": None},
    "read gives text": {"read": ["open"]},
    "fact is none": {"read": [Sighting("open", ITEM, "plugin")]},  # type: ignore[arg-type]  # as above
    "fact of wrong types": {"read": [Sighting(fact.Claimed(ref="", time_ns=S, text=7), ITEM, "plugin")]},  # type: ignore[arg-type]  # as above
    "fact that is no Unicode": {"read": [Sighting(fact.Claimed(ref="", time_ns=S, text="\ud800"), ITEM, "plugin")]},
    "item of nowhere": {"read": [Sighting(CALL, Log(key="e", time_ns=S), "plugin")]},
}


@pytest.mark.parametrize("item", [ITEM, LOG], ids=["span", "log"])
@pytest.mark.parametrize("answers", BREACHES.values(), ids=BREACHES)
def test_a_breach_costs_what_would_have_been_read(answers: dict[str, Any], item: Span | Log) -> None:
    """There is a record, it says what is missing, and somebody is told."""
    told: list[tuple[str, str]] = []
    record = folded(item, AGENT, tell=lambda name, exc: told.append((name, type(exc).__name__)), **answers)
    assert limits.DIALECT_FAILED in record.capture.limits
    assert record.agent.name == "fixer"
    assert record.outcome in ("ended", "unknown")
    assert told
    assert {name for name, _ in told} == {"plugin"}


def test_half_a_story_does_not_count() -> None:
    """Of a reading that broke off nothing is kept: what came next may have been the opposite."""
    assert folded(ITEM, read=half_way).tool_calls == ()


def test_nothing_understood_is_unknown() -> None:
    """A record of which only the failure is known ends with its root, and claims nothing."""
    record = folded(ITEM, read=broken)
    assert (record.lifecycle, record.outcome) == ("settled", "unknown")


def test_what_it_cannot_claim_is_left_to_the_others() -> None:
    """A general dialect reads it."""
    assert folded(AGENT, claims=broken).agent.dialect == "genai"
