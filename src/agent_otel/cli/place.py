"""The repository that a reviewer has before him: the trees it stands for, and what the run did to the tests in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent_otel.errors import DecodeError
from agent_otel.model.record import RunRecord
from agent_otel.review.testpaths import is_test
from agent_otel.review.verified.found import Place
from agent_otel.review.verified.weakened import ChangedTest, changed_tests
from agent_otel.sdk.git import Repository

MOST_TESTS: Final = 200
"""Test files whose diff is read."""


def place_of(record: RunRecord, *, root: Path) -> Place:
    """What the repository around ``root`` is, beside the record; nothing where there is none."""
    repository = Repository.find(root)
    if repository is None:
        return Place()
    try:
        committed = repository.found("HEAD")
        trees = (repository.tree(), committed.tree if committed else "")
        return Place(trees=tuple(dict.fromkeys(filter(None, trees))), tests=_tests(record, repository))
    finally:
        repository.close()


def _tests(record: RunRecord, repository: Repository) -> tuple[ChangedTest, ...] | None:
    """The tests that differ between what the run began with and what it left, where the repository has both."""
    after = record.final.tree
    for before in filter(None, (record.base.tree, record.base.commit)):
        changes = repository.changes(before, after) if after else None
        if changes is not None:
            paths = [path for each in changes for path in (each.path, each.old_path) if path and is_test(path)]
            patch = repository.patch(before, after or "", paths[:MOST_TESTS]) if paths else ""
            return _read(patch)
    return None


def _read(patch: str | None) -> tuple[ChangedTest, ...] | None:
    try:
        return None if patch is None else changed_tests(patch)
    except DecodeError:  # a diff that cannot be read shows nothing; the record still knows which files changed
        return None
