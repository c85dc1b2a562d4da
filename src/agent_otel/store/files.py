"""The file of an embedded database: readable by its owner alone, since it holds telemetry."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from agent_otel.errors import StoreError

DIRECTORY: Final = ".agent-otel"
DATABASE: Final = "runs.db"


def prepare(path: Path) -> None:
    """Makes the file and its folders where they are missing.

    A folder named ``.agent-otel`` gets a ``.gitignore``, so that telemetry is not committed by accident.

    Raises:
        StoreError: the file cannot be made.
    """
    try:
        _make_folder(path.parent)
        # SQLite gives its companion files the permissions of the database. One that is there is not touched: closing a
        # file lets go of all locks that the process has on it, of those that SQLite believes to hold too
        # (sqlite.org/howtocorrupt.html, 2.2), and then others delete the log that we write to.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as exc:
        message = f"cannot create the database {path}: {exc.strerror or exc}"
        raise StoreError(message) from exc


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.name == DIRECTORY:
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
