"""The one place where this SDK's own failures end.

Telemetry must never break the program it watches: whatever goes wrong in here is caught, counted, and logged once per
kind. The user's own results and exceptions never pass through a guard.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_logger = logging.getLogger("agent_otel")
_failures: Counter[str] = Counter()


@contextmanager
def guard(doing: str) -> Iterator[None]:
    """Swallows what our own code raises in its body.

    Args:
        doing: what was being done, for the log line: "recording a decision".
    """
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - the instrumented program must survive any bug of ours
        report(doing, exc)


def report(doing: str, exc: Exception) -> None:
    """Counts a failure of ours, and logs the first of its kind."""
    kind = f"{doing}: {type(exc).__name__}"
    _failures[kind] += 1
    if _failures[kind] == 1:
        _logger.warning("agent-otel failed while %s; the program goes on (said once)", doing, exc_info=exc)


def failures() -> dict[str, int]:
    """How often this SDK failed, by kind."""
    return dict(_failures)
