"""The files that a record names as evidence, read where a reviewer has them: inside of one folder, and nowhere else.

A record comes from an agent. So a path that leads out of the folder, by dots or by a link, is refused, and so is what
is no plain file or larger than any report.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from agent_otel.compaction.shell.counts import counts
from agent_otel.errors import DecodeError
from agent_otel.model.record import LARGEST_EVIDENCE
from agent_otel.review.reports.report import digest
from agent_otel.review.reports.table import read_report
from agent_otel.review.verified.found import Found


def look_for(paths: Iterable[str], *, root: Path) -> dict[str, Found]:
    """What there is of each path in ``root``."""
    inside = root.resolve()
    return {path: _look(path, inside) for path in paths}


def _look(path: str, root: Path) -> Found:
    try:
        place = (root / path).resolve(strict=True)
        if not place.is_relative_to(root):
            return Found(problem=f"not read: it leads out of {root}")
        data = _read(place)
    except FileNotFoundError:
        return Found(problem=f"it is not there, in {root}")
    except _RefusedError as exc:
        return Found(problem=f"not read: {exc}")
    except (OSError, ValueError, RuntimeError) as exc:  # no permission; a null byte; a link to itself on Python 3.10
        return Found(problem=f"it cannot be read: {getattr(exc, 'strerror', None) or exc}")
    try:
        return Found(sha256=digest(data), report=read_report(data, tally=counts))
    except DecodeError as exc:
        return Found(sha256=digest(data), problem=f"it cannot be read: {exc}")


class _RefusedError(Exception):
    """A file that is not read; the message says why."""


def _read(place: Path) -> bytes:
    """The bytes of a plain file; what is none is not waited for."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it is a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            message = "it is no plain file"
            raise _RefusedError(message)
        data = file.read(LARGEST_EVIDENCE + 1)
    if len(data) > LARGEST_EVIDENCE:
        message = f"it has more than {LARGEST_EVIDENCE} bytes"
        raise _RefusedError(message)
    return data
