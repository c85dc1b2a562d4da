"""Bounds on connections, with sockets that speak HTTP slowly, at length, or not at all."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from agent_otel.service.connection import HEADER_BYTES

HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n"


def connect(listeners) -> socket.socket:
    """A connection."""
    made = socket.create_connection((listeners.address.host, listeners.address.port), timeout=20)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def drip(connection: socket.socket, first: bytes, drop: bytes, *, over: threading.Event, every_s: float = 0.02) -> None:
    """Sends a little, again and again, until it is over or nobody wants it."""
    try:
        connection.sendall(first)
        while not over.wait(every_s):
            connection.sendall(drop)
    except OSError:
        pass


def answer_to_drips(listeners, first: bytes, drop: bytes) -> tuple[bytes, float]:
    """What comes back until the connection ends, and after how many seconds."""
    over = threading.Event()
    with connect(listeners) as connection:
        began = time.monotonic()
        dripping = threading.Thread(target=drip, args=(connection, first, drop), kwargs={"over": over})
        dripping.start()
        answer = received(connection)
        took = time.monotonic() - began
        over.set()
        dripping.join()
    return answer, took


def received(connection: socket.socket, enough: Callable[[bytes], bool] = lambda _: False) -> bytes:
    """What comes back until the connection ends, or it is enough."""
    answer = b""
    try:
        while not enough(answer) and (part := connection.recv(65536)):
            answer += part
    except ConnectionResetError:
        pass
    return answer


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),  # a connection that says nothing
        (b"POST /v1/tra", b"c"),  # the path
        (HEAD, b"x-more: 1\r\n"),  # ever more headers
        (HEAD + b"x-long: ", b"x"),  # ever more of a header
        (b"", b"\r\n"),  # empty lines, which parsers skip
    ],
    ids=["nothing", "path", "headers", "header", "lines"],
)
def test_headers_have_to_come_in_time(listen, first, drop):
    """However little and often something comes."""
    listeners = listen(read_timeout_s=0.9)
    answer, took = answer_to_drips(listeners, first, drop)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.2 < took < 10


def test_the_second_request_of_a_connection_has_no_more_time(listen):
    """Neither for its headers."""
    listeners = listen(read_timeout_s=0.9)
    first = HEAD + b"content-length: 0\r\n\r\n" + HEAD
    answer, took = answer_to_drips(listeners, first, b"x-more: 1\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer
    assert took < 10


@pytest.mark.parametrize(
    ("framing", "drop"),
    [(b"content-length: 1000000\r\n\r\n", b"\x0a"), (b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n")],
    ids=["length", "chunks"],
)
def test_a_body_has_to_come_in_time(listen, framing, drop):
    """408 in the words of OTLP, and its room is given back."""
    listeners = listen(read_timeout_s=0.9)
    with connect(listeners) as connection:
        over = threading.Event()
        dripping = threading.Thread(target=drip, args=(connection, HEAD + framing, drop), kwargs={"over": over})
        dripping.start()
        answer = received(connection, lambda so_far: b"did not arrive" in so_far)
        over.set()
        dripping.join()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert listeners.budget.used == 0
    assert listeners.counted("agent_otel_processor_requests_total", status="408") == 1


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"x-long: " + b"x" * (4 * HEADER_BYTES),
        HEAD + b"x: y\r\n" * (HEADER_BYTES // 2),
        b"GET /" + b"x" * (4 * HEADER_BYTES),
        # Trailers, and what may stand beside the size of a chunk.
        HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"x-long: " + b"x" * (20 * HEADER_BYTES),
        HEAD + b"transfer-encoding: chunked\r\n\r\n1;x=" + b"x" * (20 * HEADER_BYTES),
    ],
    ids=["header", "headers", "path", "trailer", "extension"],
)
def test_headers_are_bounded(listeners, sent):
    """A connection that sends too much of what is no body ends before it is remembered."""
    with connect(listeners) as connection:
        sender = threading.Thread(target=drip, args=(connection, sent, b"x"), kwargs={"over": threading.Event()})
        sender.start()
        answer = received(connection)
        sender.join(20)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))


def test_small_chunks_are_a_body(listeners):
    """A thousand chunks of a byte are read, though they are mostly frames."""
    body = b"\x12\x02hi" * 50_000  # of a field that is not known, and therefore skipped
    with connect(listeners) as connection:
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert received(connection, lambda so_far: b"\r\n\r\n" in so_far).startswith(b"HTTP/1.1 200 ")


def test_requests_are_not_hoarded(listeners):
    """Of a thousand requests sent at once on a connection, a few wait, and the rest is not taken."""
    with connect(listeners) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n" * 1000)
        assert received(connection).count(b"HTTP/1.1 200 ") < 100


def test_too_many_connections_are_told_to_come_back(listen):
    """In the words of OTLP; those that are in are not disturbed; far beyond, connections just end."""
    listeners = listen(connections=2)
    request = HEAD + b"content-length: 0\r\n\r\n"
    opened = [connect(listeners) for _ in range(3)]
    for connection in opened:
        connection.sendall(request)
    replies = [received(each, lambda so_far: b"\r\n\r\n" in so_far) for each in opened]
    assert [reply[:12] for reply in replies] == [b"HTTP/1.1 200", b"HTTP/1.1 200", b"HTTP/1.1 503"]
    assert b"retry-after: " in replies[2]
    assert listeners.counted("agent_otel_processor_requests_refused_total", reason="connections") == 1
    for connection in opened:
        connection.close()
    with connect(listeners) as connection:
        connection.sendall(request)
        assert received(connection, lambda so_far: b"\r\n\r\n" in so_far).startswith(b"HTTP/1.1 200")


def test_nonsense_ends_a_connection(listeners):
    """400, and nothing in the log that a stranger could flood."""
    with connect(listeners) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello")
        assert received(connection).startswith(b"HTTP/1.1 400 ")
    assert listeners.log() == ""


def test_who_leaves_half_way_costs_nothing(listeners):
    """The room is given back, and nothing is told."""
    with connect(listeners) as connection:
        connection.sendall(HEAD + b"content-length: 1000\r\n\r\nabc")
        wait_for(lambda: listeners.budget.used > 0)
    wait_for(lambda: listeners.budget.used == 0)
    wait_for(lambda: listeners.counted("agent_otel_processor_requests_total", status="499") == 1)
    assert listeners.log() == ""


def test_who_does_not_read_the_answer_is_not_waited_for(listen):
    """What was to be sent is let go of when the connection's time is over."""
    listeners = listen(idle_timeout_s=1.0)
    with connect(listeners) as connection:
        connection.sendall(b"GET /api/large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        wait_for(lambda: listeners.connections() == 0)


def wait_for(condition: Callable[[], bool]) -> None:
    """Looks again and again, for some seconds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
