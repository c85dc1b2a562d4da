"""Sends request bodies over real connections, as many exporters at once would, and keeps account of the answers."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

REFUSED = frozenset({429, 502, 503, 504})
"""Answers that say "again later" (opentelemetry-proto docs/specification.md, "Retryable response codes")."""


@dataclass
class Account:
    """What became of the requests: ``latencies_s`` of those that were acknowledged, and statuses of all answers."""

    acknowledged: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    latencies_s: list[float] = field(default_factory=list)
    last_ack_s: dict[int, float] = field(default_factory=dict)

    def percentile_ms(self, share: float) -> float:
        """The acknowledgement latency that this share of the requests stayed below, in ms."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Senders:
    """Sends numbered bodies to ``/v1/traces`` over ``connections`` connections, each request until it is acknowledged.

    Args:
        address: host and port.
        bodies: (number, body); taken one after the other by whichever connection is free.
        connections: how many.
        per_second: requests a second over all connections; None sends as fast as answers come.
        retry: whether a refused or broken request is sent again, as exporters do.
        acknowledged: called with the number of each request that was acknowledged.
    """

    def __init__(
        self,
        address: tuple[str, int],
        bodies: Iterator[tuple[int, bytes]],
        *,
        connections: int = 8,
        per_second: float | None = None,
        retry: bool = True,
        acknowledged: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._address = address
        self._bodies = bodies
        self._per_second = per_second
        self._retry = retry
        self._acknowledged = acknowledged
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._started = 0.0
        self._taken = 0
        self.account = Account()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]

    def start(self) -> None:
        """Begins to send."""
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Sends nothing new, and waits for what is under way."""
        self._stop.set()
        self.join()

    def finish(self) -> None:
        """Takes nothing new; what was taken is sent until it is acknowledged."""
        with self._lock:
            self._bodies = iter(())

    @property
    def done(self) -> bool:
        """Whether everything was sent."""
        return not any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Waits until everything was sent."""
        for thread in self._threads:
            thread.join()

    def _next(self) -> tuple[int, bytes] | None:
        with self._lock:
            if self._stop.is_set():
                return None
            taken = next(self._bodies, None)
            at = self._started + self._taken / self._per_second if self._per_second else 0.0
            self._taken += 1
        self._stop.wait(max(at - time.monotonic(), 0.0))
        return taken

    def _run(self) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        while (numbered := self._next()) is not None:
            number, body = numbered
            while not self._send(connection, number, body) and self._retry and not self._stop.wait(0.05):
                pass
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, number: int, body: bytes) -> bool:
        """Whether there is nothing more to do for this request."""
        begun = time.monotonic()
        try:
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            with self._lock:
                self.account.broken += 1
            return False
        now = time.monotonic()
        with self._lock:
            self.account.statuses[answer.status] += 1
            if answer.status == http.client.OK:
                self.account.acknowledged += 1
                self.account.latencies_s.append(now - begun)
                self.account.last_ack_s[number] = time.time()
                self._acknowledged(number)
        return answer.status not in REFUSED
