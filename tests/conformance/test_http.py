"""OTLP/HTTP, requirement by requirement."""

from __future__ import annotations

import gzip
import http.client
import json
from urllib.parse import urlsplit

import pytest
from google.protobuf.json_format import Parse
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from conformance.bodies import RESPONSES, of_size, one
from conformance.cases import CASES, SUCCESS, TYPES, Case, Seen
from conformance.differences import DIFFERENCES
from conformance.grpc_cases import GRPC_CASES
from conformance.refusals import GRPC_REFUSALS, HTTP_REFUSALS


def connect(target):
    """A connection to the server."""
    return http.client.HTTPConnection(urlsplit(target.http).netloc, timeout=60)


def exchange(connection, case):
    """Sends the case's request; status, headers and body of the answer."""
    headers = {"Content-Type": TYPES[case.encoding], **case.headers}
    connection.request(case.method, case.path or f"/v1/{case.signal}", case.body, headers)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def seen(case: Case, status: int, headers: dict[str, str], body: bytes) -> Seen:
    """What the answer comes to."""
    content_type = headers.get("content-type", "").partition(";")[0]
    if content_type != TYPES[case.encoding]:
        return Seen(status, "something")
    if status == http.client.OK:
        return Seen(status, outcome(decoded(RESPONSES[case.signal], case.encoding, body)))
    found = decoded(Status, case.encoding, body)
    return Seen(status, "status" if found is not None and found.message else "something")


def decoded(kind, encoding, body):
    """The message; None where the body is none."""
    try:
        if encoding == "json":
            # What a detail of a Status is called must be known to whoever reads it: left out here.
            plain = json.loads(body)
            plain.pop("details", None)
            return Parse(json.dumps(plain), kind())
        return kind.FromString(body)
    except (ValueError, DecodeError):
        return None


def outcome(response) -> str:
    """What a response says of the items."""
    if response is None:
        return "something"
    if not response.HasField("partial_success"):
        return "success"
    counts = [value for field, value in response.partial_success.ListFields() if field.name.startswith("rejected")]
    if not counts:
        return "warning" if response.partial_success.error_message else "success"
    return f"{counts[0]} rejected"


def expected_of(target, case: Case) -> Seen:
    """What is to be seen of this server."""
    return DIFFERENCES.get(target.name, {}).get(case.name, (case.expected, ""))[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_requirements(target, case):
    """The server is seen to do what the specification says, or what is listed as a difference with its reason."""
    connection = connect(target)
    found = seen(case, *exchange(connection, case))
    connection.close()
    expected = expected_of(target, case)
    assert (found.status, found.says if expected.says else "") == (expected.status, expected.says), case.rule


def test_connections_are_kept(target):
    """Several requests go over one connection, good and bad ones."""
    connection = connect(target)
    chosen = [case for case in CASES if case.name in {"one-traces-protobuf", "rubbish-logs-json", "one-metrics-json"}]
    connection.connect()
    socket = connection.sock
    for case in (*chosen, *chosen):
        status, headers, _ = exchange(connection, case)
        assert status == case.expected.status
        assert headers.get("connection", "keep-alive").lower() == "keep-alive"
        assert connection.sock is socket
    connection.close()


def test_a_delivery_may_be_repeated(target):
    """A client that got no answer sends again; the server takes it again."""
    connection = connect(target)
    for _ in range(3):
        case = Case(name="again", rule="", expected=Seen(200, "success"), body=one("traces", "protobuf"))
        assert seen(case, *exchange(connection, case)) == case.expected
    connection.close()


def test_a_body_may_come_in_chunks(target):
    """HTTP: Transfer-Encoding: chunked, where a client does not know the length beforehand."""
    connection = connect(target)
    body = one("traces", "protobuf")
    parts = iter([body[:7], body[7:]])
    connection.request("POST", "/v1/traces", parts, {"Content-Type": TYPES["protobuf"]}, encode_chunked=True)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == http.client.OK
    connection.close()


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_a_body_may_have_64_mib(target, beyond):
    """design: 64 MiB inflated are read, a byte more is 413 with a Status; the collector has 20 MiB by default."""
    size = (64 << 20) + beyond
    case = Case(
        name="large",
        rule="",
        expected=SUCCESS if beyond <= 0 else Seen(413, "status"),
        body=gzip.compress(of_size(size), 1),
        headers={"Content-Encoding": "gzip"},
    )
    connection = connect(target)
    status, headers, body = exchange(connection, case)
    connection.close()
    expected = Seen(400, "status") if target.name == "collector" else case.expected
    assert seen(case, status, headers, body) == expected
    assert len(body) < 4 << 20


def test_listed_differences_are_of_known_cases():
    """A difference says of which case, how, and why; and differs."""
    cases = {case.name: case for case in (*CASES, *GRPC_CASES, *HTTP_REFUSALS, *GRPC_REFUSALS)}
    for listed in DIFFERENCES.values():
        for name, (different, reason) in listed.items():
            assert cases[name].expected != different
            assert reason
