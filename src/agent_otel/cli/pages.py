"""The pages of post-mortems in a folder, the reviews that were held of them, and whether their changes landed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from agent_otel.errors import DecodeError
from agent_otel.review.postmortems.check import Landed
from agent_otel.review.postmortems.read import Page, read_page
from agent_otel.review.quarter.held import held_on
from agent_otel.review.quarter.pages import Written
from agent_otel.sdk.git import Repository

FOLDER: Final = "postmortems"
"""Where a repository keeps them."""

REVIEWS: Final = "reviews"
"""Where, in that folder, the reviews are kept that were held."""


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


def all_pages(folder: Path) -> tuple[list[Written], list[str]]:
    """The pages in the folder, and what is wrong with the files that are none."""
    found = [_read(file) for file in page_files(folder)]
    return [each for each in found if isinstance(each, Written)], [each for each in found if isinstance(each, str)]


def _read(file: Path) -> Written | str:
    try:
        return Written(file.name, page_at(file))
    except DecodeError as exc:
        return f"{file.name}: {exc}"


def held_reviews(folder: Path) -> Iterator[date]:
    """The days on which reviews of the pages in the folder were held."""
    for file in sorted((folder / REVIEWS).glob("*.md")):
        day = held_on(file.read_text(encoding="utf-8", errors="replace"))
        if day is not None:
            yield day


def landed_in(folder: Path) -> Landed:
    """Tells when a file was first changed since a day, by the history of the repository around the folder."""
    repository = Repository.find(folder) if folder.is_dir() else None

    def landed(path: str, since: date) -> date | None:
        when = repository.changed_since(path, since.isoformat()) if repository else ""
        return date.fromisoformat(when) if when else None

    return landed
