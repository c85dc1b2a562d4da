"""The pages of post-mortems in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent_otel.errors import DecodeError
from agent_otel.review.postmortems.read import Page, read_page

FOLDER: Final = "postmortems"
"""Where a repository keeps them."""


def page_files(folder: Path) -> list[Path]:
    """The files that are pages, in order of their names: the day comes first there."""
    return sorted(file for file in folder.glob("*.md") if file.name != "README.md")


def page_at(file: Path) -> Page:
    """The page in a file.

    Raises:
        DecodeError: the file holds something else.
    """
    try:
        return read_page(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as exc:
        message = f"not UTF-8: {exc}"
        raise DecodeError(message) from exc


def written_about(folder: Path) -> Iterator[frozenset[str]]:
    """The runs that each page is about; what is no page is about none, which ``postmortem check`` tells."""
    return map(_runs, page_files(folder))


def _runs(file: Path) -> frozenset[str]:
    try:
        return frozenset(page_at(file).runs)
    except DecodeError:
        return frozenset()
