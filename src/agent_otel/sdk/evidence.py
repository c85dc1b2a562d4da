"""Files that show what a check or a command came to: read, hashed, and told of; never what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from agent_otel.model.record import LARGEST_EVIDENCE

MOST_FILES: Final = 50
"""Files of one event; evidence of more is a folder, which somebody should sum up."""

Given = str | os.PathLike[str]


def paths(given: Given | Sequence[Given]) -> list[Given]:
    """What was given as a list; a single path is a list of one."""
    return [given] if isinstance(given, str | os.PathLike) else list(given)


def bound(files: Iterable[Given], *, shown: Callable[[Given], str], folder: str | None = None) -> list[str]:
    """A text of JSON for each of the files that is there.

    Args:
        files: their paths; what is no file is left out.
        shown: gives a path as records have it.
        folder: what they are relative to; the working directory, where none is given.
    """
    places = [os.path.join(folder or "", each) for each in list(files)[:MOST_FILES]]  # noqa: PTH118 - no path is too odd
    return [json.dumps({"path": shown(place), **seen}) for place in places if (seen := _look(place))]


def _look(path: str) -> dict[str, Any]:
    """Size, age and digest of a file; without a digest where it is too large, nothing where it is no file."""
    try:
        # What is no file is not opened: a pipe would wait for whoever writes to it.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - no path is too odd
            return {}
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            state = os.fstat(file.fileno())
            seen = {"bytes": state.st_size, "modified": _moment(state.st_mtime)}
            data = file.read(LARGEST_EVIDENCE + 1)
    except (OSError, ValueError):  # not there, not allowed, a null byte in its name
        return {}
    if len(data) > LARGEST_EVIDENCE:
        return seen
    return {**seen, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
