"""The one place where this SDK's own failures end.

Telemetry must never break the program it watches: whatever goes wrong in here is caught, counted, and logged once per
kind. The user's own results and exceptions never pass through a guard.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_logger = logging.getLogger("agent_otel")
_failures: Counter[str] = Counter()


class guard:  # noqa: N801 - reads as the verb it is, like contextlib.suppress
    """Swallows what our own code raises in its body.

    Args:
        doing: what was being done, for the log line: "recording a decision".
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        # Interrupts and cancellations are not ours to swallow.
        if isinstance(error, Exception):
            report(self._doing, error)
            return True
        return False


def guarded(doing: str, *, otherwise: Callable[[], Any] = lambda: None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function of ours: ``guard`` at half its price, for the path of every tool call.

    Args:
        doing: as for ``guard``.
        otherwise: gives the result where the function fails. Functions are called without keywords.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        def attempt(*args: Any) -> Any:
            try:
                return function(*args)  # type: ignore[call-arg]  # the caller's types say what fits
            except Exception as exc:  # noqa: BLE001 - the instrumented program must survive any bug of ours
                report(doing, exc)
                return otherwise()

        return functools.wraps(function)(attempt)  # type: ignore[return-value]  # as above

    return decorate


def report(doing: str, exc: Exception) -> None:
    """Counts a failure of ours, and logs the first of its kind."""
    kind = f"{doing}: {type(exc).__name__}"
    _failures[kind] += 1
    if _failures[kind] == 1:
        _logger.warning("agent-otel failed while %s; the program goes on (said once)", doing, exc_info=exc)


def failures() -> dict[str, int]:
    """How often this SDK failed, by kind."""
    return dict(_failures)
