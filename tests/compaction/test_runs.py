"""Which run items belong to: agents that name their session, and processes launched inside a run of this SDK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.table import DIALECTS
from agent_otel.compaction.policy import Policy
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import RunRecord

S = 1_000_000_000
LATER = 10**6 * S
LAUNCHED = {names.RUN_ID: "run"}


class Sessions:
    """An agent that says everything in log records: turns, calls of tools and models, and of which session they are."""

    name = "sessions"
    about = "sessions of a test"
    scopes = ("sessions",)

    def claims(self, item: Span | Log) -> bool:
        """Everything of its scope."""
        return item.scope == "sessions"

    def place(self, item: Span | Log) -> Place | None:
        """What its attributes say."""
        if session := item.attributes.get("session.id"):
            return Place(session, item.attributes.get("parent", ""))
        return None

    def backdrop(self, item: Span | Log) -> bool:
        """Start-up."""
        return isinstance(item, Log) and item.event_name == "startup"

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """One fact for each record."""
        for item in items:
            assert isinstance(item, Log)
            assert forest is not None
            about: dict[str, Any] = {"ref": item.ref, "time_ns": item.time_ns}
            given = {key: value for key, value in item.attributes.items() if key not in ("session.id", "parent")}
            if item.event_name != "startup":
                yield Sighting(getattr(fact, item.event_name)(**about, **given), item, self.name)


def log(kind: str, at: int, session: str = "s1", *, resource: dict[str, Any] | None = None, **given: Any) -> Log:
    """A log record of that agent, with its time in seconds."""
    attributes = {key: value for key, value in {"session.id": session, **given}.items() if value != ""}
    key = f"{kind}-{at}-{session}"
    return Log(
        key=key, time_ns=at * S, scope="sessions", event_name=kind, attributes=attributes, resource=resource or {}
    )


def turn(at: int, end: int, session: str = "s1", **given: Any) -> Log:
    """A turn of that agent."""
    return log("AgentInvoked", at, session, end_ns=end * S, **given)


def span(span_id: str, operation: str, parent: str = "", *, end: int = 9, **rest: Any) -> Span:
    """A span of ours, or of a framework where a resource is given that says it was launched."""
    attributes = {names.OPERATION_NAME: operation, **rest.pop("attributes", {})}
    return Span(
        trace_id="a" * 32,
        span_id=span_id * 16,
        parent_id=parent and parent * 16,
        start_ns=S,
        end_ns=end * S,
        attributes=attributes,
        **rest,
    )


def own(end: int = 9) -> Span:
    """The span of a run of ours."""
    said = {names.RUN_ID: "run", names.AGENT_NAME: "harness", names.RUN_OUTCOME: "ended"}
    return span("1", "invoke_agent", scope=names.SCOPE, attributes=said, end=end)


def records(*items: Span | Log) -> list[RunRecord]:
    """The records, read by that dialect too."""
    return compact(items, now_ns=LATER, policy=Policy(), dialects=(*DIALECTS, Sessions()))


def test_a_session_is_a_run_however_many_traces_it_is_in() -> None:
    """Log records without a trace count to the session they name, and sessions side by side stay apart."""
    found = records(
        turn(1, 9),
        log("ToolCalled", 2, name="read", outcome="ok"),
        turn(3, 8, "s2"),
        log("ToolCalled", 4, "s2", name="edit", outcome="ok"),
    )
    assert [(each.run_id, [call.name for call in each.tool_calls]) for each in found] == [
        ("s1", ["read"]),
        ("s2", ["edit"]),
    ]
    assert {each.agent.dialect for each in found} == {"sessions"}


def test_a_part_of_a_session_is_a_child() -> None:
    """A sub-agent that has a name of its own has a record of its own, which names its parent."""
    found = records(turn(1, 9), turn(2, 5, "s1/a", parent="s1"))
    assert [(each.run_id, each.parent_run) for each in found] == [("s1", None), ("s1/a", "s1")]


@pytest.mark.parametrize(
    ("items", "lifecycle", "outcome"),
    [
        ([turn(1, 5), log("ToolCalled", 2, name="x", outcome="ok")], "settled", "ended"),
        ([turn(1, 5), turn(6, 0), log("ModelCalled", 7)], "abandoned", "interrupted"),
        ([turn(1, 5), log("ModelCalled", 6)], "abandoned", "interrupted"),
        ([turn(1, 0), log("ModelCalled", 2), log("ModelCalled", 3, failed=True)], "abandoned", "failed"),
        ([turn(1, 0), log("ModelCalled", 2, failed=True), log("ModelCalled", 3)], "abandoned", "interrupted"),
        ([turn(1, 0), log("ModelCalled", 2, failed=True, error_type="400")], "settled", "failed"),
        ([turn(1, 0), log("ModelCalled", 2, failed=True, error_type="400"), turn(3, 0)], "abandoned", "failed"),
        ([turn(1, 0), log("ModelCalled", 2, failed=True, error_type="429")], "abandoned", "failed"),
        (
            [turn(1, 0), log("ModelCalled", 2, failed=True, error_type="400"), log("ModelCalled", 3)],
            "abandoned",
            "interrupted",
        ),
        ([turn(1, 0), log("LimitNoticed", 2, limit="tail-lost")], "abandoned", "unknown"),
        ([log("ToolCalled", 2, name="x", outcome="ok")], "abandoned", "interrupted"),
        ([turn(1, 5, outcome="failed"), log("ModelCalled", 2, end_ns=3 * S)], "settled", "failed"),
    ],
    ids=[
        "ended",
        "second turn",
        "after the turn",
        "gave up",
        "went on",
        "refused",
        "asked again",
        "throttled",
        "another model",
        "tail lost",
        "no turn",
        "failed",
    ],
)
def test_a_session_ends_with_its_last_turn(items: list[Log], lifecycle: str, outcome: str) -> None:
    """A turn without an end, and whatever happens after the last one, keeps a session from having ended."""
    (found,) = records(*items)
    assert (found.lifecycle, found.outcome) == (lifecycle, outcome)
    assert found.capture.root_seen == (lifecycle == "settled")


def test_house_keeping_alone_is_no_run() -> None:
    """A process that only starts up has done nothing a record could be about; beside work it counts to the work."""
    assert records(log("startup", 1, "")) == []
    (found,) = records(log("startup", 1), turn(2, 3))
    assert found.capture.logs == 2


def test_what_a_run_launches_is_of_the_run() -> None:
    """An agent started inside a run of ours, and all it does in whatever session and trace, is of that run."""
    launched = Span(
        trace_id="b" * 32,
        span_id="2" * 16,
        start_ns=2 * S,
        end_ns=3 * S,
        attributes={names.OPERATION_NAME: "invoke_agent", names.AGENT_NAME: "fixer", names.CONVERSATION_ID: "c"},
        resource=LAUNCHED,
    )
    found = records(own(), launched, turn(3, 5, resource=LAUNCHED), log("ToolCalled", 4, name="x", resource=LAUNCHED))
    assert [(each.run_id, each.capture.logs) for each in found] == [("run", 2)]
    assert [call.name for call in found[0].tool_calls] == ["x"]


def test_agents_inside_what_a_run_launches_are_children() -> None:
    """The agent that was launched is the run; another below it is a run of its own."""
    found = records(
        own(),
        span("2", "invoke_agent", "1", attributes={names.AGENT_NAME: "fixer"}, resource=LAUNCHED),
        span("3", "invoke_agent", "2", attributes={names.AGENT_NAME: "reader"}, resource=LAUNCHED),
        turn(4, 5, "s1/a", parent="s1", resource=LAUNCHED),
    )
    assert [(each.run_id, each.parent_run) for each in found] == [
        ("run", None),
        ("run/reader", "run"),
        ("s1/a", "run"),
    ]


def test_a_session_inside_a_span_of_a_run_is_a_child() -> None:
    """An agent that one of our tools calls in its own process, and which was not launched as the run itself."""
    inner = Log(
        key="x",
        time_ns=2 * S,
        scope="sessions",
        trace_id="a" * 32,
        span_id="2" * 16,
        event_name="AgentInvoked",
        attributes={"session.id": "s1", "end_ns": 3 * S},
    )
    bound = Span(
        trace_id="a" * 32, span_id="2" * 16, parent_id="1" * 16, start_ns=2 * S, end_ns=3 * S, resource={"x": 1}
    )
    found = records(own(), bound, inner)
    assert [(each.run_id, each.parent_run) for each in found] == [("run", None), ("s1", "run")]


def test_costs_of_calls_add_up() -> None:
    """What each call cost, where telemetry has it."""
    (found,) = records(turn(1, 5), log("ModelCalled", 2, cost_usd=0.1), log("ModelCalled", 3, cost_usd=0.2))
    assert found.usage.cost_usd == pytest.approx(0.3)
