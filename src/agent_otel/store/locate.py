"""Where the database of a working directory is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent_otel.store.files import DATABASE, DIRECTORY
from agent_otel.store.urls import scheme

ENV_DATABASE: Final = "AGENT_OTEL_DB"


def find_database(start: Path, environ: Mapping[str, str]) -> Path | str:
    """The path or URL of the database, which need not exist yet.

    ``AGENT_OTEL_DB`` decides where it is set; else the nearest ``.agent-otel/runs.db`` from ``start`` upwards; else one
    beside the nearest ``.git`` (a folder, or the file that work trees have); else one in ``start``.
    """
    chosen = environ.get(ENV_DATABASE, "")
    if scheme(chosen):
        return chosen
    if chosen:
        return start / Path(chosen).expanduser()
    folders = (start, *start.parents)
    for folder in folders:
        if (folder / DIRECTORY / DATABASE).is_file():
            return folder / DIRECTORY / DATABASE
    root = next((folder for folder in folders if (folder / ".git").exists()), start)
    return root / DIRECTORY / DATABASE
