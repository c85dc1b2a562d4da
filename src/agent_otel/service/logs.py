"""The log lines of the processor: structured, on standard error, and few however many requests go wrong.

Never contents, never tokens: a line says what happened and how often, and carries the text of our own errors only.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

import structlog

from agent_otel.service.settings import ProcessorSettings
from agent_otel.text.terminal import printable

LONGEST: Final = 500
"""Characters of a text in a log line."""

EVERY_S: Final = 10.0
"""Seconds between two lines of one kind."""

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Logger = structlog.typing.FilteringBoundLogger


def logger(settings: ProcessorSettings, stream: TextIO | None = None) -> Logger:
    """The logger of a process; what libraries log through ``logging`` comes out the same way.

    Args:
        settings: level and format.
        stream: where lines go, standard error if not given.
    """
    stream = sys.stderr if stream is None else stream
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    level = LEVELS[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _inert,
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    _route_libraries(shared, last, stream, level)
    made: Logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return made


class Rarely:
    """Writes the first line of a kind, and then one in ten seconds, which says how many there were between.

    Args:
        log: where to.
        clock: seconds that only grow.
    """

    def __init__(self, log: Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: dict[str, tuple[float, int]] = {}

    def warning(self, kind: str, **details: Any) -> None:
        """Notes something of a kind; kinds are few, and spelled in the code."""
        with self._lock:
            now = self._clock()
            last, held_back = self._kinds.get(kind, (None, 0))
            if last is not None and now - last < EVERY_S:
                self._kinds[kind] = (last, held_back + 1)
                return
            self._kinds[kind] = (now, 0)
        if held_back:
            details["held_back"] = held_back
        self._log.warning(kind, **details)


def _inert(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Texts cut and made inert: a log is read on terminals, too."""
    for name, value in event.items():
        if isinstance(value, str):
            keep_newlines = name == "exception"
            event[name] = printable(value[: LONGEST * 10 if keep_newlines else LONGEST], keep_newlines=keep_newlines)
    return event


def _route_libraries(
    shared: list[structlog.typing.Processor], last: structlog.typing.Processor, stream: TextIO, level: int
) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Of libraries, what an operator can do something about.
    root.setLevel(max(level, logging.WARNING))
