"""``run``: opens a run around a block or a function, in threads and in event loops."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from opentelemetry import context as otel_context

from agent_otel.errors import SettingsError
from agent_otel.sdk.context import leave
from agent_otel.sdk.plan import ContractSource, Plan
from agent_otel.sdk.run import Run

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from typing_extensions import Unpack

    from agent_otel.sdk.plan import RunOptions

P = ParamSpec("P")
R = TypeVar("R")


def run(
    objective: str | None = None,
    *,
    agent: str = "agent",
    contract: ContractSource | None = None,
    **options: Unpack[RunOptions],
) -> RunScope:
    """Opens a run around a block (``with`` or ``async with``), or, as a decorator, around every call of a function.

    Args:
        objective: the task, in a sentence.
        agent: the agent's name, of low cardinality.
        contract: what the run is held to: a ``Contract``, a table, or the path of a TOML file (looked for from
            ``repo`` where it is given, then from the working directory).
        **options: ``id``, ``repo`` (a path in the repository; the working directory where none is given),
            ``workflow`` (names a run that orchestrates several agents), ``conversation`` (a real session id),
            ``model``, ``version``, ``redo_of`` (the id of the run that this one does again), ``raise_on_budget``, and
            any field of ``Contract``, which overrides the contract's.

    Raises:
        SettingsError: an unknown option, or a contract that is missing or wrong.
    """
    return RunScope(Plan.of(objective, agent=agent, contract=contract, options=options))


class RunScope(AbstractContextManager[Run, None], AbstractAsyncContextManager[Run, None]):
    """What ``run`` gives. Every entry, and every call of a decorated function, is a run of its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        # Entries of one scope nest like calls do; each leaves the run it entered.
        self._entered: list[tuple[Run, Token[Context]]] = []

    def __enter__(self) -> Run:
        entered = self._open()
        entered.announce(entered.observe_start())
        return entered

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered, token = self._entered.pop()
        try:
            entered.close(entered.observe_end(), error)
        finally:
            leave(token)

    async def __aenter__(self) -> Run:
        entered = self._open()
        entered.announce(await asyncio.to_thread(entered.observe_start))
        return entered

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered, token = self._entered.pop()
        try:
            # A cancelled task must still leave its run closed: git is asked in the shadow of the cancellation.
            final = await asyncio.shield(asyncio.to_thread(entered.observe_end))
            entered.close(final, error)
        finally:
            leave(token)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorates a function or coroutine function.

        Raises:
            SettingsError: it is a generator, which has no end of its own.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            message = f"run() cannot decorate the generator {function.__qualname__!r}; use 'with run(...)' inside of it"
            raise SettingsError(message)
        if inspect.iscoroutinefunction(function):
            return self._decorated_async(function)

        @functools.wraps(function)
        def decorated(*args: P.args, **kwargs: P.kwargs) -> R:
            with RunScope(self._plan):
                return function(*args, **kwargs)

        return decorated

    def _decorated_async(self, function: Callable[P, Awaitable[Any]]) -> Callable[P, Any]:
        @functools.wraps(function)
        async def decorated(*args: P.args, **kwargs: P.kwargs) -> Any:
            async with RunScope(self._plan):
                return await function(*args, **kwargs)

        return decorated

    def _open(self) -> Run:
        entered = Run(self._plan)
        self._entered.append((entered, otel_context.attach(entered.open())))
        return entered
