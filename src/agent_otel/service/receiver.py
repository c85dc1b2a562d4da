"""Receives one export request: room, bytes, items, commit, and only then the answer. The same for HTTP and gRPC.

It knows neither; whoever does hands in how to read the body, and writes the answer out.
"""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from agent_otel.errors import AgentOtelError, Overloaded, StoreError, TooLarge
from agent_otel.model.item import Item
from agent_otel.otlp.encodings import Encoding
from agent_otel.otlp.inflate import inflate
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Received, SignalName
from agent_otel.otlp.replies import Failure, failure
from agent_otel.service.budget import Budget, Room
from agent_otel.service.logs import Rarely
from agent_otel.service.metrics import ServiceMetrics
from agent_otel.service.refusals import Gone, Refused
from agent_otel.store.base import PutResult

RETRY_S: Final = (1, 5)
"""Senders are told to come back after a time between these: not all at once."""

BROKEN: Final = 500
"""A mistake of ours that the bytes bring about: the same bytes would again, so nobody should send them again."""

LARGE_BYTES: Final = 4 << 20
"""A request larger than this has a lane where it holds up none but its like."""

USUAL_RATIO: Final = 8
"""How much smaller compression makes telemetry."""

_DECODERS: Final = MappingProxyType({"protobuf": items_from_protobuf, "json": items_from_json})
_NOTHING: Final = PutResult(0, 0)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an export request before its body."""

    signal: SignalName
    transport: Literal["http", "grpc"]
    encoding: Encoding = "protobuf"


class Body(msgspec.Struct, frozen=True):
    """The bytes of a request, and how they are compressed; "" where they are not."""

    content: bytes
    compression: str


Read = Callable[[Room], Awaitable[Body]]
"""Reads a body, and makes the room larger before it takes more."""

Submit = Callable[[tuple[Item, ...]], "Future[PutResult]"]
"""Hands items over; the future is done when they are committed."""


class Lanes:
    """A thread for requests of everyday size, and another one for large ones, so that these hold nobody up.

    One each: decoding keeps the interpreter to itself, so that more threads would take turns and not time off.
    """

    def __init__(self) -> None:
        self._everyday = ThreadPoolExecutor(1, thread_name_prefix="agent-otel-decode")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="agent-otel-decode-large")

    def of(self, size: int) -> Executor:
        """The lane of a request of so many bytes."""
        return self._large if size > LARGE_BYTES else self._everyday

    def close(self) -> None:
        """Takes nothing more; what waits is given up."""
        for lane in (self._everyday, self._large):
            lane.shutdown(wait=False, cancel_futures=True)


class Receiver:
    """Answers export requests.

    Args:
        submit: where items go.
        budget: of bytes in work.
        lanes: to decode on.
        metrics: what is counted.
        rarely: where trouble is told.
        limits: what a request may hold.
        chance: seconds to wait, between the two given.
    """

    def __init__(  # noqa: PLR0913 - its parts, by name
        self,
        *,
        submit: Submit,
        budget: Budget,
        lanes: Lanes,
        metrics: ServiceMetrics,
        rarely: Rarely,
        limits: Limits = DEFAULT_LIMITS,
        chance: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._submit = submit
        self._budget = budget
        self._lanes = lanes
        self._metrics = metrics
        self._rarely = rarely
        self._chance = chance
        self.limits = limits
        self.draining = False

    async def receive(self, delivery: Delivery, *, size: int, read: Read) -> Received | Failure:
        """Reads, decodes and commits a request, and says what to answer.

        Args:
            delivery: what is known of it.
            size: bytes it is expected to have; it may turn out larger.
            read: reads it.
        """
        began = time.perf_counter()
        answer: Received | Failure
        try:
            answer = await self._received(delivery, size, read)
        except AgentOtelError as exc:
            answer = self._failure(exc)
            _let_go(exc)
        except Exception as exc:  # noqa: BLE001 - one request must not cost the others theirs
            self._rarely.warning("a request cannot be answered", error=repr(exc), exc_info=exc)
            answer = failure(BROKEN, "the processor failed on this request")
            _let_go(exc)
        duration_s = time.perf_counter() - began
        self._metrics.answered(
            signal=delivery.signal, transport=delivery.transport, status=_status(answer), duration_s=duration_s
        )
        return answer

    def refuse(self, message: str, *, reason: str) -> Failure:
        """What to answer where a request is not even looked at; counted."""
        return self._failure(Refused(message, reason=reason))

    def _failure(self, error: AgentOtelError) -> Failure:
        status = getattr(error, "status", BROKEN)
        if isinstance(error, Overloaded | StoreError):
            reason = error.reason if isinstance(error, Refused) else "store"
            self._metrics.refused(reason)
            self._rarely.warning(f"requests are refused: {reason}", error=str(error))
        elif not isinstance(error, Gone):
            self._rarely.warning("a request is wrong", status=status, error=str(error))
        return failure(status, error, retry_s=self._chance(*RETRY_S))

    async def _received(self, delivery: Delivery, size: int, read: Read) -> Received:
        if self.draining:
            message = "the processor is about to end"
            raise Refused(message, reason="draining")
        if size > self.limits.body_bytes:
            message = (
                f"a request of {size} bytes; at most {self.limits.body_bytes} are read: send fewer items at a time"
            )
            raise TooLarge(message)
        with _refusing("memory"):
            room = self._budget.reserve(size)
        with room:
            with _refusing("memory"):
                body = await read(room)
            loop = asyncio.get_running_loop()
            plain = body.content
            if body.compression:
                lane = self._lanes.of(len(plain) * USUAL_RATIO)
                plain = await loop.run_in_executor(lane, self._inflate, body, room)
            del body
            # It may have become far larger than most do.
            received, committed = await loop.run_in_executor(self._lanes.of(len(plain)), self._decode, delivery, plain)
            del plain
            result = await self._committed(committed) if committed is not None else _NOTHING
        self._metrics.accepted(received, result, signal=delivery.signal)
        return received

    def _inflate(self, body: Body, room: Room) -> bytes:
        """Off the loop: the bytes that were compressed, as far as there is room for them."""
        with _refusing("memory"):
            return inflate(body.content, body.compression, limit=self.limits.body_bytes, reach=room.reach)

    def _decode(self, delivery: Delivery, plain: bytes) -> tuple[Received, Future[PutResult] | None]:
        """Off the loop: bytes to items, and these to the writer."""
        received = _DECODERS[delivery.encoding](plain, delivery.signal, limits=self.limits)
        if not received.items:
            return received, None
        with _refusing("writer"):
            return received, self._submit(received.items)

    async def _committed(self, done: Future[PutResult]) -> PutResult:
        began = time.perf_counter()
        try:
            result = await asyncio.wrap_future(done)
        except StoreError:
            raise
        except Exception as exc:  # - whatever it was, nothing is wrong with the bytes
            self._rarely.warning("the store failed", error=repr(exc), exc_info=exc)
            message = "the store failed"
            raise StoreError(message) from exc
        self._metrics.committed(time.perf_counter() - began)
        return result


def _status(answer: Received | Failure) -> int:
    """The HTTP status, whatever the transport: one vocabulary for dashboards."""
    return answer.status if isinstance(answer, Failure) else 200


def _let_go(error: BaseException) -> None:
    """Frees what the frames of an error hold: a body of megabytes would wait for the garbage collector.

    Errors that cross tasks and threads are parts of reference cycles, on some Pythons more than on others.
    """
    chain: BaseException | None = error
    while chain is not None:
        traceback.clear_frames(chain.__traceback__)
        chain = chain.__cause__ or chain.__context__


@contextmanager
def _refusing(reason: str) -> Iterator[None]:
    try:
        yield
    except Refused:
        raise
    except Overloaded as exc:
        raise Refused(str(exc), reason=reason) from exc
