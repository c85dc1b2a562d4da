"""A receiver for one program: OTLP/HTTP on a free port of this machine, on a thread of this process.

The same doors as those of a processor, and none of its other business: no workers, no API that anybody needs, no
signals. Nothing is written to standard error, where the program may have drawn its screen; ``said`` has it afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from agent_otel.model.item import Item
from agent_otel.service import security
from agent_otel.service.arrival import Arrival
from agent_otel.service.budget import Budget
from agent_otel.service.http import HttpApplication
from agent_otel.service.listen import HttpListener, address_of, bind
from agent_otel.service.logs import Rarely, logger
from agent_otel.service.memory import of_processor
from agent_otel.service.metrics import Backlog, ServiceMetrics
from agent_otel.service.receiver import Lanes, Receiver
from agent_otel.service.routes import EXPORTS
from agent_otel.service.security import Tokens
from agent_otel.service.settings import ProcessorSettings
from agent_otel.store.base import PutResult, Store
from agent_otel.store.writer import GroupCommit

QUIET_S: Final = 0.25
"""Silence after which nothing more is on its way from a program that is gone."""

_LOOK_S: Final = 0.02
_DRAIN_S: Final = 3.0
_START_S: Final = 30.0


class LocalReceiver:
    """Receives into a store until it is closed.

    Args:
        store: where items go; it is closed by whoever opened it.
        arrive: what is done to them before.

    Raises:
        OSError: there is no port to be had.
    """

    def __init__(self, store: Store, arrive: Arrival) -> None:
        self._store = store
        self._arrive = arrive
        self._log = io.StringIO()
        self._budget = Budget(ProcessorSettings().in_flight_bytes)
        self._last_s = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._started: Future[None] = Future()
        self.endpoint = ""
        self._thread = threading.Thread(target=self._serve, name="agent-otel-receive", daemon=True)
        self._thread.start()
        self._started.result(_START_S)

    def close(self) -> None:
        """Takes nothing more; what is in work is finished."""
        if self._loop is not None and self._ending is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    @property
    def said(self) -> str:
        """What went wrong, as lines of a log."""
        return self._log.getvalue()

    def settle(self, timeout_s: float) -> bool:
        """Waits until nothing is in work and nothing has come for a moment; False where time ran out.

        The moment begins now: a program that was killed may have sent what nobody has read yet.
        """
        began = time.monotonic()
        while self._budget.used or time.monotonic() - max(began, self._last_s) < QUIET_S:
            if time.monotonic() - began >= timeout_s:
                return False
            time.sleep(_LOOK_S)
        return True

    def _serve(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as exc:  # noqa: BLE001 - whoever waits for the start must hear of it
            if not self._started.done():
                self._started.set_exception(exc)

    async def _live(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        with ExitStack() as parts:
            listener, receiver = self._listener(parts)
            await listener.start()
            self._started.set_result(None)
            await self._ending.wait()
            receiver.draining = True
            await listener.stop()
            await asyncio.to_thread(parts.close)

    def _listener(self, parts: ExitStack) -> tuple[HttpListener, Receiver]:
        settings = ProcessorSettings(http="127.0.0.1:0", log_level="warning", log_format="text")
        rarely = Rarely(logger(settings, self._log))
        (bound,) = bind(security.addresses(settings.http, name="http"))
        parts.callback(bound.close)
        self.endpoint = f"http://{address_of(bound)}"
        writer = GroupCommit(self._store)
        parts.callback(writer.close)

        def submit(items: Sequence[Item]) -> Future[PutResult]:
            self._last_s = time.monotonic()
            return writer.submit(self._arrive(items))

        lanes, readers = Lanes(), ThreadPoolExecutor(1)
        parts.callback(lanes.close)
        parts.callback(readers.shutdown, wait=False)
        metrics = ServiceMetrics(
            backlog=Backlog(self._store.stats, self._store.wake_at),
            in_flight=lambda: self._budget.used,
            memory=lambda: of_processor(()),
        )
        parts.callback(metrics.close)
        receiver = Receiver(submit=submit, budget=self._budget, lanes=lanes, metrics=metrics, rarely=rarely)
        application = HttpApplication(
            routes=EXPORTS,
            receiver=receiver,
            tokens=Tokens(),
            local_only=True,
            readers=readers,
            read_timeout_s=settings.read_timeout_s,
            rarely=rarely,
        )
        return HttpListener(application, [bound], settings, tls=None, drain_s=_DRAIN_S), receiver
