"""Which files are tests, by the names and folders that test runners look for."""

from __future__ import annotations

from typing import Final

from agent_otel.model.record import ChangedFile, RunRecord
from agent_otel.review.globs import first_match

_TESTS: Final = (
    "**/test/**", "**/tests/**", "**/__tests__/**", "**/spec/**", "**/e2e/**", "**/testdata/**", "**/__snapshots__/**",
    "test_*.py", "*_test.py", "conftest.py",
    "*.test.*", "*.spec.*", "*_spec.rb", "*_test.rb",
    "*_test.go", "*Test.java", "*Tests.java", "*IT.java", "*Test.kt", "*Tests.cs", "*Test.php", "*_test.exs",
    "*Test.scala",    "*Tests.swift", "*_test.dart", "*_test.cc", "*_test.cpp", "*.bats",
)  # fmt: skip


def tests_changed(record: RunRecord) -> tuple[ChangedFile, ...]:
    """The tests that a run changed, or moved: what they prove now is not what they proved before."""
    return tuple(file for file in record.changed_files if is_test(file.path) or is_test(file.old_path or ""))


def is_test(path: str) -> bool:
    """True when a file is a test, or belongs to tests."""
    return first_match(path, _TESTS) is not None
