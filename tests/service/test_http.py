"""The HTTP listener, spoken to as clients do that know HTTP better or worse than they should."""

from __future__ import annotations

import gzip
import http.client
import json
import threading

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agent_otel.errors import Overloaded, StoreError
from agent_otel.otlp.limits import Limits
from agent_otel.service.budget import EACH
from agent_otel.service.receiver import LARGE_BYTES, USUAL_RATIO
from agent_otel.store.base import RecordQuery

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
TOKEN = "first-token-0123456789"


def gzipped(content: bytes) -> bytes:
    """The same bytes each time: they end up in names of tests."""
    return gzip.compress(content, mtime=0)


def spans(*ids: int, trace: int = 1, name: str = "work") -> bytes:
    """A request with a span for each id; 0 stands for one without an id."""
    made = [
        Span(trace_id=trace.to_bytes(16, "big"), span_id=each.to_bytes(8, "big") if each else b"", name=name)
        for each in ids
    ]
    block = ResourceSpans(scope_spans=[ScopeSpans(spans=made)])
    return ExportTraceServiceRequest(resource_spans=[block]).SerializeToString()


def test_success_is_told_when_items_are_committed(listeners):
    """Not a moment before: while the commit waits, so does the sender."""
    listeners.gate.clear()
    answers = []
    sender = threading.Thread(target=lambda: answers.append(listeners.ask("POST", "/v1/traces", spans(1, 2), PROTOBUF)))
    sender.start()
    assert listeners.waiting.acquire(timeout=20)
    assert answers == []
    assert listeners.store.stats().items == 0
    listeners.gate.set()
    sender.join(20)
    (answer,) = answers
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"", "application/x-protobuf")
    assert listeners.store.stats().items == 2


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
@pytest.mark.parametrize(("headers", "empty", "answer"), [(PROTOBUF, b"", b""), (JSON, b"{}", b"{}")])
def test_empty_requests_succeed(listeners, path, headers, empty, answer):
    """In either encoding, for each signal."""
    reply = listeners.ask("POST", path, empty, headers)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, answer, headers["content-type"])


def test_of_metrics_what_a_run_has_used_is_kept(listeners):
    """The sums of a session; the rest is understood, counted, and let go."""
    point = {"attributes": [{"key": "session.id", "value": {"stringValue": "s1"}}], "timeUnixNano": "2", "asDouble": 5}
    metrics = [
        {"name": "claude_code.token.usage", "sum": {"dataPoints": [point], "aggregationTemporality": 2}},
        {"name": "process.memory", "gauge": {"dataPoints": [point, point]}},
    ]
    body = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).encode()
    reply = listeners.ask("POST", "/v1/metrics", body, JSON)
    assert (reply.status, reply.body) == (200, b"{}")
    assert listeners.store.stats().items == 1
    assert listeners.counted("agent_otel_processor_items_accepted_total", signal="metric") == 1
    assert listeners.counted("agent_otel_processor_items_ignored_total", signal="metric") == 2


def test_what_was_refused_is_counted_exactly(listeners):
    """A span without an id costs itself; its neighbours are kept; the sums agree."""
    reply = listeners.ask("POST", "/v1/traces", spans(1, 0, 2, 0), PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(reply.body).partial_success
    assert (reply.status, partial.rejected_spans) == (200, 2)
    assert "span id" in partial.error_message
    listeners.ask("POST", "/v1/traces", spans(1, 3), PROTOBUF)
    items = {
        name: listeners.counted(f"agent_otel_processor_items_{name}_total", signal="span")
        for name in ("accepted", "stored", "duplicate", "rejected")
    }
    assert items == {"accepted": 6, "stored": 3, "duplicate": 1, "rejected": 2}
    assert listeners.counted("agent_otel_processor_items_rejected_total", reason="span_id") == 2


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json; charset=utf-8"}, b'{"resourceSpans":[]}'),
        ({"content-type": "Application/X-Protobuf"}, b""),
        ({**PROTOBUF, "content-encoding": "gzip"}, gzipped(spans(1))),
        ({**PROTOBUF, "content-encoding": "GZIP"}, gzipped(b"") + gzipped(spans(1))),
        ({**PROTOBUF, "content-encoding": "identity"}, spans(1)),
        ({**JSON, "x-anything": "at all"}, b'{"unknown": 1}'),
    ],
    ids=["parameter", "capitals", "gzip", "GZIP in two members", "identity", "unknown"],
)
def test_headers_are_read_as_widely_as_senders_write_them(listeners, headers, body):
    """Case, parameters, several members, no compression by its name."""
    assert listeners.ask("POST", "/v1/traces", body, headers).status == 200


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (400, b"\x0a", PROTOBUF),
        (400, b"[", JSON),
        (400, b"not gzip", {**PROTOBUF, "content-encoding": "gzip"}),
        (400, gzipped(spans(1))[:-4], {**PROTOBUF, "content-encoding": "gzip"}),
        (413, bytes(2001), PROTOBUF),
        (413, gzipped(bytes(100_000)), {**PROTOBUF, "content-encoding": "gzip"}),
        (415, b"", {}),
        (415, b"", {"content-type": "text/plain"}),
        (415, b"", {**PROTOBUF, "content-encoding": "br"}),
    ],
)
def test_what_is_wrong_is_refused_for_good(listen, status, body, headers):
    """With a google.rpc.Status in the request's encoding, and without a word about trying again."""
    listeners = listen(limits=Limits(body_bytes=2000))
    reply = listeners.ask("POST", "/v1/traces", body, headers)
    assert reply.status == status
    assert "retry-after" not in reply.headers
    if headers.get("content-type") == PROTOBUF["content-type"]:
        assert reply.headers["content-type"] == PROTOBUF["content-type"]
        told = Status.FromString(reply.body)
        assert (told.code, bool(told.message)) == (3, True)
    else:
        assert reply.headers["content-type"] == JSON["content-type"]
        assert json.loads(reply.body)["code"] == 3
    assert listeners.counted("agent_otel_processor_requests_total", status=str(status)) == 1
    assert listeners.counted("agent_otel_processor_requests_refused_total") == 0


def test_a_chunked_body_is_bounded_though_nobody_knows_its_size(listen):
    """It is given up at the limit."""
    listeners = listen(limits=Limits(body_bytes=2000))
    parts = (bytes(500) for _ in range(10))
    assert listeners.ask("POST", "/v1/traces", parts, PROTOBUF).status == 413
    fits = iter([spans(1)[:7], spans(1)[7:]])
    assert listeners.ask("POST", "/v1/traces", fits, PROTOBUF).status == 200


@pytest.mark.parametrize("trouble", ["store", "bug", "memory", "draining", "writer"])
def test_what_is_our_trouble_is_to_be_sent_again(listen, trouble):
    """503, a time to come back after, UNAVAILABLE in the body: exporters keep what they have; later it is taken."""
    listeners = listen(capacity=EACH)
    first = spans(*range(1, 100))
    sender = None
    if trouble == "memory":
        listeners.gate.clear()
        sender = threading.Thread(target=lambda: listeners.ask("POST", "/v1/traces", first, PROTOBUF))
        sender.start()
        assert listeners.waiting.acquire(timeout=20)
    elif trouble == "writer":
        listeners.refusal = Overloaded("too many items wait")
    elif trouble == "draining":
        listeners.receiver.draining = True
    else:
        listeners.trouble = StoreError("locked") if trouble == "store" else ValueError("a mistake")
    reply = listeners.ask("POST", "/v1/traces", spans(1), PROTOBUF)
    assert reply.status == 503
    assert 1 <= int(reply.headers["retry-after"]) <= 5
    status = Status.FromString(reply.body)
    assert status.code == 14
    assert [each.type_url for each in status.details] == ["type.googleapis.com/google.rpc.RetryInfo"]
    reason = {"bug": "store"}.get(trouble, trouble)
    assert listeners.counted("agent_otel_processor_requests_refused_total", reason=reason) == 1
    listeners.gate.set()
    listeners.trouble, listeners.refusal, listeners.receiver.draining = None, None, False
    if sender is not None:
        sender.join(20)
    assert listeners.ask("POST", "/v1/traces", spans(1), PROTOBUF).status == 200
    assert listeners.budget.used == 0


def test_room_is_asked_for_before_the_body_is_read(listen):
    """A sender that waits for "100 Continue" is refused without having sent anything."""
    listeners = listen(capacity=EACH)
    listeners.gate.clear()
    sender = threading.Thread(target=lambda: listeners.ask("POST", "/v1/traces", spans(1), PROTOBUF))
    sender.start()
    assert listeners.waiting.acquire(timeout=20)
    connection = http.client.HTTPConnection(listeners.address.host, listeners.address.port, timeout=20)
    connection.putrequest("POST", "/v1/traces")
    for name, value in {**PROTOBUF, "content-length": "1000000", "expect": "100-continue"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 503
    connection.close()
    listeners.gate.set()
    sender.join(20)


def test_the_largest_request_is_taken_by_an_empty_house(listen):
    """However small the budget is, one at a time gets in."""
    listeners = listen(capacity=EACH)
    assert listeners.ask("POST", "/v1/traces", spans(1, name="x" * 1_000_000), PROTOBUF).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_exports_are_posted(listeners, method):
    """Anything else is told what is taken."""
    reply = listeners.ask(method, "/v1/traces", headers=JSON)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert bool(reply.body) is (method != "HEAD")


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/traces/", "//v1/traces", "/v1/traces/x", "/V1/traces", "/v1/profiles", "/healthz/", "/api"],
)
def test_elsewhere_there_is_nothing(listeners, path):
    """Paths are compared letter by letter."""
    assert listeners.ask("POST", path, b"", PROTOBUF).status == 404


def test_records_are_read_on_the_same_listener(listeners):
    """The API answers, HEAD without a body, its own errors in its own words."""
    listed = listeners.ask("GET", "/api/runs?limit=1")
    assert (listed.status, json.loads(listed.body)) == (200, {"runs": []})
    head = listeners.ask("HEAD", "/api/runs")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "11")
    assert listeners.ask("GET", "/api/runs?limit=x").status == 400
    assert listeners.ask("POST", "/api/runs").status == 405
    assert listeners.store.records(RecordQuery()) == []


def test_a_question_that_fails_is_answered(listeners):
    """A mistake of ours is told as such, a database that is away as something to try again."""
    broken = listeners.ask("GET", "/api/broken")
    assert (broken.status, json.loads(broken.body)["code"]) == (500, 13)
    assert "ZeroDivisionError" in listeners.log()
    away = listeners.ask("GET", "/api/gone")
    assert (away.status, away.headers["retry-after"]) == (503, "1")


def test_health_is_asked_for_by_path(listeners):
    """``/healthz`` whether it lives, ``/readyz`` whether it is ready."""
    assert json.loads(listeners.ask("GET", "/healthz").body) == {"status": "alive"}
    assert json.loads(listeners.ask("GET", "/readyz").body) == {"status": "ready"}


def test_a_page_in_a_browser_cannot_read_by_a_name_of_its_own(listeners):
    """Without tokens the ``Host`` must be this machine's: a name that was made to point here is turned away."""
    assert listeners.ask("GET", "/api/runs", headers={"host": "evil.example"}).status == 421
    assert listeners.ask("POST", "/v1/traces", b"", {**PROTOBUF, "host": "evil.example:4318"}).status == 421
    assert listeners.ask("GET", "/healthz", headers={"host": "evil.example"}).status == 200
    assert listeners.ask("GET", "/api/runs", headers={"host": "localhost:4318"}).status == 200


def test_a_connection_is_kept_for_the_next_request(listeners):
    """Also after a refusal whose body was not read."""
    connection = http.client.HTTPConnection(listeners.address.host, listeners.address.port, timeout=20)
    seen = []
    for path, body in [("/v1/traces", spans(1)), ("/nowhere", bytes(300_000)), ("/v1/traces", spans(2))]:
        connection.request("POST", path, body, PROTOBUF)
        reply = connection.getresponse()
        reply.read()
        seen.append((reply.status, connection.sock is not None and connection.sock.getsockname()))
    connection.close()
    assert [status for status, _ in seen] == [200, 404, 200]
    assert len({name for _, name in seen}) == 1


def test_a_mistake_of_ours_costs_one_request(listeners):
    """The same bytes would bring it about again, so nobody is told to send them again."""
    listeners.refusal = ZeroDivisionError()
    reply = listeners.ask("POST", "/v1/traces", spans(1), PROTOBUF)
    assert (reply.status, Status.FromString(reply.body).code) == (500, 13)
    assert "ZeroDivisionError" in listeners.log()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_large_request_holds_up_none_but_its_like(listeners, compressed):
    """While one is decoded that takes seconds, small ones are answered; also where it was small as it came."""
    large = b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % b",".join(
        b'{"traceId":"%032x","spanId":"%016x","name":"%s"}' % (1, each % 9 + 1, b"x" * 500) for each in range(50_000)
    )
    headers = dict(JSON)
    if compressed:
        large, headers["content-encoding"] = gzipped(large), "gzip"
        assert len(large) * USUAL_RATIO < LARGE_BYTES
    answers = []
    sender = threading.Thread(target=lambda: answers.append(listeners.ask("POST", "/v1/traces", large, headers).status))
    sender.start()
    small = 0
    while not answers:
        assert listeners.ask("POST", "/v1/traces", spans(small + 1, trace=2), PROTOBUF).status == 200
        small += 1
    sender.join(20)
    assert answers == [200]
    assert small > 3
