"""Secrets leave items before anybody keeps them; nothing else about an item changes."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from agent_otel.model import names
from agent_otel.otlp import masking
from agent_otel.otlp.masking import ItemMasker
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.stamping import RunStamp
from agent_otel.otlp.views import view
from agent_otel.text.redaction import Masker

CANARY = "ghp" + "_" + "Fake1" * 8
"""Looks like a token of GitHub, and is none."""

MASKED = "[REDACTED:github-token]"


def text(value: str) -> AnyValue:
    """A text as OTLP has it."""
    return AnyValue(string_value=value)


def attribute(name: str, value: Any) -> KeyValue:
    """An attribute."""
    return KeyValue(key=name, value=value if isinstance(value, AnyValue) else text(value))


def words(*values: str) -> AnyValue:
    """A list of texts."""
    return AnyValue(array_value=ArrayValue(values=map(text, values)))


def mapping(**values: Any) -> AnyValue:
    """A mapping."""
    return AnyValue(kvlist_value=KeyValueList(values=[attribute(name, value) for name, value in values.items()]))


def span_item(
    *, scope: str = "some.agent", about: tuple[KeyValue, ...] = (), resource: tuple[KeyValue, ...] = (), **fields
):
    """The item of a span; ``about`` are attributes of its scope."""
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=1, end_time_unix_nano=2, **fields)
    spans = ScopeSpans(scope=InstrumentationScope(name=scope, attributes=about), spans=[span])
    request = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=Resource(attributes=resource), scope_spans=[spans])]
    )
    (item,) = items_from_protobuf(request.SerializeToString(), "span").items
    return item


def log_item(**fields: Any):
    """The item of a log record."""
    logs = ScopeLogs(scope=InstrumentationScope(name="some.agent"), log_records=[LogRecord(**fields)])
    request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[logs])])
    (item,) = items_from_protobuf(request.SerializeToString(), "log").items
    return item


@pytest.fixture
def mask():
    """Masks as a processor does by itself."""
    return ItemMasker(Masker(key=b""))


PLACES = {
    "attribute": lambda: span_item(attributes=[attribute("output", f"pushed with {CANARY}")]),
    "bytes": lambda: span_item(attributes=[attribute("output", AnyValue(bytes_value=f"with {CANARY}".encode()))]),
    "list": lambda: span_item(attributes=[attribute("args", words("push", CANARY))]),
    "mapping": lambda: span_item(attributes=[attribute("args", mapping(to="origin", value=CANARY))]),
    "deep": lambda: span_item(attributes=[attribute("args", mapping(inner=mapping(words=words("x", CANARY))))]),
    "key": lambda: span_item(attributes=[attribute(CANARY, "x")]),
    "name": lambda: span_item(name=f"run {CANARY}"),
    "status": lambda: span_item(status=Status(code=2, message=f"refused {CANARY}")),
    "event": lambda: span_item(events=[Span.Event(name="tool.output", attributes=[attribute("o", CANARY)])]),
    "event name": lambda: span_item(events=[Span.Event(name=f"pushed {CANARY}")]),
    "link": lambda: span_item(links=[Span.Link(attributes=[attribute("o", CANARY)])]),
    "resource": lambda: span_item(resource=(attribute("process.command_args", words("agent", CANARY)),)),
    "scope": lambda: span_item(about=(attribute("key", CANARY),)),
    "log body": lambda: log_item(body=text(f'{{"pushed": "{CANARY}"}}')),
    "log body, a list": lambda: log_item(body=words("evaluated", CANARY)),
    "log attribute": lambda: log_item(attributes=[attribute("output", CANARY)]),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_place_hides_a_secret(mask, place):
    """It is gone from all that is kept of the item, and what stood around it is there."""
    item = PLACES[place]()
    (masked,) = mask([item])
    kept = masked.resource + masked.scope + masked.raw
    assert CANARY.encode() in item.resource + item.scope + item.raw
    assert CANARY.encode() not in kept
    assert MASKED.encode() in kept
    if place not in {"resource", "scope"}:
        assert view(masked).attributes[names.REDACTIONS] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", text("Hunter2Hunter2")),
        ("args", words("deploy", "--password", "Hunter2Hunter2")),
        ("args", mapping(password="Hunter2Hunter2")),
        ("args", text('{"password": "Hunter2Hunter2"}')),
    ],
    ids=["name", "flag", "mapping", "json"],
)
def test_names_give_secrets_away(mask, name, value):
    """What looks like nothing is masked where its name says what it is."""
    (masked,) = mask([span_item(attributes=[attribute(name, value)])])
    assert b"Hunter2" not in masked.raw


def test_the_item_stays_the_item_it_was(mask):
    """A second delivery is a duplicate, whoever masked the first one; and what needs no masking is not touched."""
    item = PLACES["attribute"]()
    (masked,) = mask([item])
    assert (masked.key, masked.digest, masked.links, masked.time_ns) == (
        item.key,
        item.digest,
        item.links,
        item.time_ns,
    )
    clean = span_item(attributes=[attribute("output", "41 passed"), attribute("tokens", AnyValue(double_value=1.5))])
    assert mask([clean, item, clean])[0] is clean
    suspicious = span_item(attributes=[attribute("note", "token=none")])
    assert mask([suspicious])[0] is suspicious


def test_what_was_masked_before_is_added_up(mask):
    """The number of masked secrets counts those that the sender masked, and again nothing is masked twice."""
    (once,) = mask([log_item(attributes=[attribute(names.REDACTIONS, AnyValue(int_value=2)), attribute("o", CANARY)])])
    assert view(once).attributes[names.REDACTIONS] == 3
    assert mask([once])[0] is once


def test_sessions_are_kept_apart_by_what_they_are_called(mask):
    """What names a run or session joins items, and stays."""
    item = span_item(attributes=[attribute(names.CONVERSATION_ID, CANARY)], resource=(attribute("session.id", CANARY),))
    assert mask([item])[0] is item


def test_what_this_sdk_sends_is_masked_already(mask):
    """It is not looked at again."""
    item = span_item(scope=names.SCOPE, attributes=[attribute("output", CANARY)])
    assert mask([item])[0] is item


def test_what_is_remembered_of_resources_is_bounded(mask, monkeypatch):
    """However many there are, each is masked."""
    monkeypatch.setattr(masking, "REMEMBERED", 2)
    items = [span_item(resource=(attribute("n", f"{number}"), attribute("o", CANARY))) for number in range(5)]
    assert all(CANARY.encode() not in item.resource for item in mask([*items, *items]))


def test_known_secrets_are_masked():
    """An exact value, such as one in the environment of the agent, wherever it stands."""
    mask = ItemMasker(Masker(key=b"k", secrets=["plain old words"]))
    (masked,) = mask([log_item(body=text("said plain old words"))])
    assert b"plain old" not in masked.raw


def test_a_stamp_names_the_run():
    """In a resource that names none; the item joins the run's group, and stays the item it was."""
    stamp = RunStamp("run-1")
    item = span_item(resource=(attribute("service.name", "x"),))
    first, second = stamp([item, span_item(resource=(attribute("service.name", "x"),), name="other")])
    assert view(first).resource == {"service.name": "x", names.RUN_ID: "run-1"}
    assert second.resource == first.resource
    assert first.links == (*item.links, f"{names.RUN_ID}:run-1")
    assert (first.key, first.digest) == (item.key, item.digest)


def test_a_resource_that_names_a_run_is_left_alone():
    """Whoever says where he belongs knows better; and an item that says so itself has the link already."""
    stated = span_item(resource=(attribute(names.RUN_ID, "run-2"),))
    assert RunStamp("run-1")([stated])[0] is stated
    (own,) = RunStamp("run-1")([span_item(attributes=[attribute(names.RUN_ID, "run-1")])])
    assert own.links.count(f"{names.RUN_ID}:run-1") == 1
