"""How something ended: the low-cardinality ``error.type`` of an exception, and what a span says of it.

Exception texts carry whatever the program was working on, so they go out repaired, masked and cut like everything else.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import subprocess
import traceback
from typing import Final, NamedTuple

from opentelemetry.trace import Span, Status, StatusCode

from agent_otel.errors import Denied
from agent_otel.model import names
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.state import Instrumentation
from agent_otel.text.sanitise import clean

EXCEPTION_EVENT: Final = "exception"

# Before Python 3.11 the three kinds of TimeoutError were three classes.
_TIMEOUTS: Final = (TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError, subprocess.TimeoutExpired)
_CANCELLATIONS: Final = (asyncio.CancelledError, concurrent.futures.CancelledError)


class End(NamedTuple):
    """How a run ended: ``ended``, ``failed``, or ``cancelled`` from outside.

    ``error_type`` is "" where it ended well; ``said`` is what a process that did not leaves for people.
    """

    outcome: str
    error_type: str = ""
    said: str = ""


def end_of(error: BaseException | None) -> End:
    """How a run ended, from what it raised."""
    if error is None or isinstance(error, GeneratorExit):
        return End("ended")
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return End("ended")
    cancelled = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
    return End("cancelled" if cancelled else "failed", error_type_of(error))


def end_of_process(exit_code: int) -> End:
    """How a run ended that was a process; its exit code is negative for a signal."""
    if exit_code == 0:
        return End("ended")
    if exit_code > 0:
        return End("failed", names.ERROR_NONZERO_EXIT, f"exit code {exit_code}")
    known = {each.value: each.name for each in signal.Signals}
    return End("cancelled", names.ERROR_CANCELLED, f"ended by {known.get(-exit_code, f'signal {-exit_code}')}")


def error_type_of(error: BaseException) -> str:
    """The ``error.type`` of an exception.

    ``denied``, ``timeout`` and ``cancelled`` where it means that; otherwise the name of its type, with the module
    unless it is a builtin. What is no ``Exception`` (Ctrl-C, exit, the cancellation of any event loop) cancels.
    """
    if isinstance(error, Denied):
        return names.ERROR_DENIED
    if isinstance(error, _CANCELLATIONS) or not isinstance(error, Exception):
        return names.ERROR_CANCELLED
    if isinstance(error, _TIMEOUTS):
        return names.ERROR_TIMEOUT
    return _type_name(error)


def record_exception(instrumentation: Instrumentation, span: Span, error: BaseException) -> None:
    """Gives ``span`` status ERROR, and the exception event where the exception says what went wrong.

    A cancellation says nothing of the work, and a refusal has an event of its own (``events.emit`` of the decision).
    """
    outgoing = Outgoing(instrumentation)
    error_type = error_type_of(error)
    if error_type == names.ERROR_CANCELLED:
        span.set_status(Status(StatusCode.ERROR, _type_name(error)))
        return
    said = outgoing.text(message_of(error))
    span.set_status(Status(StatusCode.ERROR, f"{_type_name(error)}: {said}" if said else _type_name(error)))
    if error_type != names.ERROR_DENIED:
        outgoing.put(names.EXCEPTION_TYPE, _type_name(error))
        outgoing.put(names.EXCEPTION_MESSAGE, said)
        outgoing.put(names.EXCEPTION_STACKTRACE, _stacktrace(error))
        span.add_event(EXCEPTION_EVENT, outgoing.finish(), timestamp=_now(instrumentation))


def message_of(error: BaseException) -> str:
    """What the exception says, whatever its own methods do."""
    # Unlike str(), the traceback module survives a failing __str__; it puts the type's name and a colon in front.
    return clean("".join(traceback.format_exception_only(type(error), error)).partition(": ")[2].rstrip("\n"))


def _type_name(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return clean(name)


def _stacktrace(error: BaseException) -> str:
    frames = error.__traceback__
    while frames is not None and str(frames.tb_frame.f_globals.get("__name__", "")).startswith("agent_otel.sdk."):
        frames = frames.tb_next  # the reader looks for the user's frames, not for ours
    return clean("".join(traceback.format_exception(type(error), error, frames)))


def _now(instrumentation: Instrumentation) -> int | None:
    return instrumentation.clock() if instrumentation.clock else None
