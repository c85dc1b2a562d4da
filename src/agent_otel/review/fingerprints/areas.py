"""The area of a repository that a path is in: its first two folders."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

ROOT: Final = "."
"""The area of what lies at the top, or nobody knows where."""

_DEPTH: Final = 2
_FOREIGN: Final = frozenset(
    [
        "node_modules",
        "site-packages",
        "dist-packages",
        "vendor",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        ".cargo",
        ".rustup",
        ".gradle",
        ".m2",
        ".nuget",
        ".npm",
        ".pnpm-store",
        ".yarn",
        "usr",
        "lib64",
        "opt",
        "proc",
        "dev",
        "etc",
    ]
)
_TOPS: Final = frozenset(
    [
        "src",
        "lib",
        "libs",
        "apps",
        "packages",
        "pkg",
        "cmd",
        "internal",
        "crates",
        "modules",
        "services",
        "tests",
        "test",
        "spec",
        "specs",
        "e2e",
        "docs",
        "scripts",
        "examples",
    ]
)
"""Folders that lie at the top of repositories; for absolute paths of which nobody knows more."""

_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_LONGEST: Final = 60


def area(path: str, *, directory: str | None = None, known: AbstractSet[str] = frozenset()) -> str | None:
    """The area of a path, or None where it lies outside of the repository.

    Args:
        path: as an output or a record names it.
        directory: where the command ran; an absolute path below it is taken from there.
        known: paths of the repository that the run touched; an absolute path that ends like one of them is that.
    """
    folders = _relative(path, _parts(directory or ""), known)
    if folders is None or not _FOREIGN.isdisjoint(folders):
        return None
    return "/".join(folders[:-1][:_DEPTH])[:_LONGEST] or ROOT


def _relative(path: str, base: list[str], known: AbstractSet[str]) -> list[str] | None:
    """The folders and the file, from the top of the repository down."""
    folders = _parts(path)
    if not (path.startswith(("/", "~")) or _DRIVE.match(path)):
        return folders if ".." not in folders else None
    for place in range(len(folders)):
        if "/".join(folders[place:]) in known:
            return folders[place:]
    if base and folders[: len(base)] == base:
        return folders[len(base) :]
    top = next((place for place, folder in enumerate(folders[:-1]) if folder in _TOPS), None)
    return None if top is None else folders[top:]


def _parts(path: str) -> list[str]:
    plain = _DRIVE.sub("", path).replace("\\", "/")
    return [part for part in plain.split("/") if part not in ("", ".")]
