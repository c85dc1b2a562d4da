"""Delivers items in the worst way that is allowed: one at a time, in any order, again and again, by every door.

Each request carries a single span or log record and goes to any of several processors, over HTTP in protobuf or JSON,
or over gRPC.
"""

from __future__ import annotations

import http.client
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import grpc

from agent_otel.model.item import Item
from agent_otel.otlp.documents import request_body
from agent_otel.otlp.encode import json_line

HTTP_PATHS: Final = {"span": "/v1/traces", "log": "/v1/logs"}
GRPC_METHODS: Final = {
    "span": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "log": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
MOST_TRIES: Final = 100
"""Of one delivery, when a processor has no room."""


class At(NamedTuple):
    """Where a processor listens: ``http://host:port``, and the gRPC target."""

    http: str
    grpc: str


class Doors:
    """One thread's connections to a processor."""

    def __init__(self, at: At, open_parts: ExitStack) -> None:
        self._http = http.client.HTTPConnection(urlsplit(at.http).netloc, timeout=60)
        open_parts.callback(self._http.close)
        channel = grpc.insecure_channel(at.grpc)
        open_parts.callback(channel.close)
        self._grpc = {signal: channel.unary_unary(method) for signal, method in GRPC_METHODS.items()}

    def protobuf(self, item: Item) -> bool:
        """Delivers over HTTP in protobuf; whether it was taken."""
        return self._post(item, request_body([item]), "application/x-protobuf")

    def json(self, item: Item) -> bool:
        """Delivers over HTTP in JSON; whether it was taken."""
        return self._post(item, json_line(request_body([item]), item.signal).encode(), "application/json")

    def over_grpc(self, item: Item) -> bool:
        """Delivers over gRPC; whether it was taken."""
        try:
            answer = self._grpc[item.signal](request_body([item]), timeout=60)
        except grpc.RpcError as exc:
            if exc.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        return _fully(answer == b"", answer)

    def _post(self, item: Item, body: bytes, content_type: str) -> bool:
        self._http.request("POST", HTTP_PATHS[item.signal], body, {"content-type": content_type})
        reply = self._http.getresponse()
        answer = reply.read()
        if reply.status == http.client.SERVICE_UNAVAILABLE:
            return False
        return _fully(reply.status == http.client.OK and answer in (b"", b"{}"), (reply.status, answer))


def _fully(taken: bool, answer: object) -> bool:  # noqa: FBT001 - the question itself
    if not taken:
        message = f"expected full success, got {answer!r}"
        raise AssertionError(message)
    return True


WAYS: Final[tuple[Callable[[Doors, Item], bool], ...]] = (Doors.protobuf, Doors.json, Doors.over_grpc)


def deliver(
    items: Sequence[Item], processors: Sequence[At], *, copies: int = 5, seed: int = 0, connections: int = 8
) -> Counter[str]:
    """Delivers every item ``copies`` times, and returns when all are acknowledged; how many went which way.

    Args:
        items: what to deliver.
        processors: each delivery goes to one of them by chance.
        copies: how often each item is delivered.
        seed: of order, processor and way.
        connections: how many deliver at once.
    """
    chance = random.Random(seed)
    work = [(item, chance.randrange(len(processors)), chance.choice(WAYS)) for item in items for _ in range(copies)]
    chance.shuffle(work)
    lock, taken = threading.Lock(), iter(work)

    def one_after_the_other() -> None:
        with ExitStack() as open_parts:
            doors = [Doors(at, open_parts) for at in processors]
            for item, processor, way in _shared(taken, lock):
                if not any(way(doors[processor], item) for _ in range(MOST_TRIES)):
                    message = "the processor has no room, again and again"
                    raise AssertionError(message)

    with ThreadPoolExecutor(connections) as pool:
        for each in [pool.submit(one_after_the_other) for _ in range(connections)]:
            each.result()
    return Counter(way.__name__ for _, _, way in work)


def _shared(
    work: Iterator[tuple[Item, int, Callable[[Doors, Item], bool]]], lock: threading.Lock
) -> Iterator[tuple[Item, int, Callable[[Doors, Item], bool]]]:
    while True:
        with lock:
            found = next(work, None)
        if found is None:
            return
        yield found
