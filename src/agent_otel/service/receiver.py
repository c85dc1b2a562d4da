"""Receives one export request: room, bytes, items, commit, and only then the answer. The same for HTTP and gRPC.

It knows neither; whoever does hands in how to read the body and writes the answer out.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from agent_otel.errors import AgentOtelError, DecodeError, Overloaded, StoreError, TooLarge
from agent_otel.model.item import Item
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Received
from agent_otel.service.budget import Budget, Room
from agent_otel.service.inflate import inflate
from agent_otel.service.logs import Rarely
from agent_otel.service.metrics import ServiceMetrics
from agent_otel.store.base import PutResult

Encoding = Literal["protobuf", "json"]


class Body(msgspec.Struct, frozen=True):
    """The bytes of a request, and how they are compressed; "" where they are not."""

    content: bytes
    compression: str


Read = Callable[[Room], Awaitable[Body]]
"""Reads a body, and makes the room larger before it takes more."""

Submit = Callable[[tuple[Item, ...]], "Future[PutResult]"]
"""Hands items over; the future is done when they are committed."""

DECODERS: Final = MappingProxyType({"protobuf": items_from_protobuf, "json": items_from_json})
RETRY_S: Final = (1, 5)
"""Senders are told to come back after a time between these: not all at once."""


class Refused(Overloaded):
    """No room now, for a reason that metrics know."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unsupported(AgentOtelError):  # noqa: N818 - as those in errors.py
    """An encoding or compression nobody here reads."""

    status = 415


class TooSlow(AgentOtelError):  # noqa: N818 - as those in errors.py
    """The request did not arrive in the time it has."""

    status = 408


class Gone(AgentOtelError):  # noqa: N818 - as those in errors.py
    """The sender went away before the request was whole."""

    status = 499


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an export request before its body: ``signal`` is "span", "log" or "metric"."""

    signal: str
    transport: Literal["http", "grpc"]
    encoding: Encoding = "protobuf"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer: an HTTP status and a gRPC code for the same thing; ``received`` where it is success.

    ``retry_s`` is how long to wait before sending the same again; None where that cannot help.
    """

    status: int
    code: int
    message: str = ""
    retry_s: int | None = None
    received: Received | None = None


class Code(msgspec.Struct, frozen=True):
    """How an error of ours is said in either protocol."""

    status: int
    code: int


CODES: Final[Mapping[type[Exception], Code]] = MappingProxyType(
    {
        DecodeError: Code(400, 3),
        TooLarge: Code(413, 3),
        Unsupported: Code(415, 3),
        TooSlow: Code(408, 4),
        Gone: Code(499, 1),
        Overloaded: Code(503, 14),
        StoreError: Code(503, 14),
    }
)
"""Error to answer. For too large a request gRPC has RESOURCE_EXHAUSTED, which some exporters send again, in vain."""

BROKEN: Final = Code(500, 13)
"""A mistake of ours that the bytes bring about: the same bytes would again."""


class Receiver:
    """Answers export requests.

    Args:
        submit: where items go.
        budget: of bytes in work.
        pool: threads to decode on.
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
        pool: Executor,
        metrics: ServiceMetrics,
        rarely: Rarely,
        limits: Limits = DEFAULT_LIMITS,
        chance: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._submit = submit
        self._budget = budget
        self._pool = pool
        self._metrics = metrics
        self._rarely = rarely
        self._chance = chance
        self.limits = limits
        self.draining = False

    async def receive(self, delivery: Delivery, *, size: int, read: Read) -> Answer:
        """Reads, decodes and commits a request, and says what to answer.

        Args:
            delivery: what is known of it.
            size: bytes it is expected to have; it may turn out larger.
            read: reads it.
        """
        began = time.perf_counter()
        try:
            answer = await self._answer(delivery, size, read)
        except AgentOtelError as exc:
            answer = self.failure(exc)
        except Exception as exc:  # noqa: BLE001 - one request must not cost the others theirs
            self._rarely.warning("a request cannot be answered", error=repr(exc), exc_info=exc)
            answer = Answer(status=BROKEN.status, code=BROKEN.code, message="the processor failed on this request")
        self._metrics.answered(
            signal=delivery.signal,
            transport=delivery.transport,
            status=answer.status if delivery.transport == "http" else answer.code,
            duration_s=time.perf_counter() - began,
        )
        return answer

    def failure(self, error: AgentOtelError) -> Answer:
        """What to answer to an error; counted, and told."""
        found = next(code for kind, code in CODES.items() if isinstance(error, kind))
        retry = isinstance(error, Overloaded | StoreError)
        if retry:
            reason = error.reason if isinstance(error, Refused) else "store"
            self._metrics.refused(reason)
            self._rarely.warning(f"requests are refused: {reason}", error=str(error))
        else:
            self._rarely.warning("a request is wrong", status=found.status, error=str(error))
        retry_s = self._chance(*RETRY_S) if retry else None
        return Answer(status=found.status, code=found.code, message=str(error), retry_s=retry_s)

    async def _answer(self, delivery: Delivery, size: int, read: Read) -> Answer:
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
            received, committed = await loop.run_in_executor(self._pool, self._decode, delivery, body, room)
            del body
            result = await self._committed(committed) if committed is not None else PutResult(0, 0)
        self._metrics.accepted(received, result, signal=delivery.signal)
        return Answer(status=200, code=0, received=received)

    def _decode(self, delivery: Delivery, body: Body, room: Room) -> tuple[Received, Future[PutResult] | None]:
        """Off the loop: bytes to items, and these to the writer."""
        plain = inflate(body.content, body.compression, limit=self.limits.body_bytes)
        with _refusing("memory"):
            room.reach(len(plain))
        received = _decoded(plain, delivery, self.limits)
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
        except Exception as exc:  # - whatever it was, senders may try again
            self._rarely.warning("the store failed", error=repr(exc), exc_info=exc)
            message = "the store failed"
            raise StoreError(message) from exc
        self._metrics.committed(time.perf_counter() - began)
        return result


def _decoded(plain: bytes, delivery: Delivery, limits: Limits) -> Received:
    if delivery.signal == "span":
        return DECODERS[delivery.encoding](plain, "span", limits=limits)
    if delivery.signal == "log":
        return DECODERS[delivery.encoding](plain, "log", limits=limits)
    return Received()


@contextmanager
def _refusing(reason: str) -> Iterator[None]:
    try:
        yield
    except Refused:
        raise
    except Overloaded as exc:
        raise Refused(str(exc), reason=reason) from exc
