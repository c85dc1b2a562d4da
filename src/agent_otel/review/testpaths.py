"""Which files are tests, by the names and folders that test runners look for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agent_otel.model.record import ChangedFile, Command, RunRecord, Verification
from agent_otel.review.globs import first_match
from agent_otel.review.sentences import TOPICS

_TESTS: Final = (
    "**/test/**", "**/tests/**", "**/__tests__/**", "**/spec/**", "**/e2e/**", "**/testdata/**", "**/__snapshots__/**",
    "test_*.py", "*_test.py", "conftest.py",
    "*.test.*", "*.spec.*", "*_spec.rb", "*_test.rb",
    "*_test.go", "*Test.java", "*Tests.java", "*IT.java", "*Test.kt", "*Tests.cs", "*Test.php", "*_test.exs",
    "*Test.scala",    "*Tests.swift", "*_test.dart", "*_test.cc", "*_test.cpp", "*.bats",
)  # fmt: skip
_TESTS_RUN: Final = next(topic.shown for topic in TOPICS if topic.kind == "test")


def edited_tests(record: RunRecord) -> tuple[ChangedFile, ...]:
    """The tests that a run changed, or moved: what they prove now is not what they proved before."""
    return tuple(file for file in record.changed_files if is_test(file.path) or is_test(file.old_path or ""))


def relies_on_tests(check: Verification, commands: Iterable[Command] = ()) -> bool:
    """Whether a check that ran is one of tests: by its kind, or else by its name and the commands it rests on."""
    if check.outcome == "not_run":
        return False
    if check.kind is not None:
        return check.kind == "test"
    lines = (check.command or check.check, *(run.command for run in commands))
    return any(map(_TESTS_RUN.search, lines))


def is_test(path: str) -> bool:
    """True when a file is a test, or belongs to tests."""
    return first_match(path, _TESTS) is not None
