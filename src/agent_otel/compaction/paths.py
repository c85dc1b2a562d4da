"""Paths as a record writes them: relative to the repository where it is known, with forward slashes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from agent_otel.compaction.remembered import remembered

_DRIVE = re.compile(r"^[A-Za-z]:\\")


def normalise(path: str, root: str = "") -> str:
    """The path without ``.``, ``..`` and doubled slashes, relative to ``root`` when it lies below."""
    path = _plain(path)
    if root and path.startswith(root + "/"):
        return path[len(root) + 1 :]
    return path


@remembered
def _plain(path: str) -> str:
    path = path.strip().removeprefix("file://")
    if _DRIVE.match(path):
        path = path.replace("\\", "/")
    return posixpath.normpath(path) if path else path


def common_root(directories: Iterable[str]) -> str:
    """The directory all others lie in, "" when there is none: the best guess at where the repository is."""
    known = sorted({normalise(directory) for directory in directories if directory.startswith(("/",))}, key=len)
    if not known:
        return ""
    root = known[0]
    inside = all(directory == root or directory.startswith(root + "/") for directory in known)
    return root if inside and root != "/" else ""
