"""Which files are tests, by the names and folders that test runners look for."""

from __future__ import annotations

from typing import Final

from agent_otel.review.globs import first_match

_TESTS: Final = (
    "**/test/**", "**/tests/**", "**/__tests__/**", "**/spec/**", "**/e2e/**", "**/testdata/**", "**/__snapshots__/**",
    "test_*.py", "*_test.py", "conftest.py",
    "*.test.*", "*.spec.*", "*_spec.rb", "*_test.rb",
    "*_test.go", "*Test.java", "*Tests.java", "*IT.java", "*Test.kt", "*Tests.cs", "*Test.php", "*_test.exs",
    "*Test.scala",    "*Tests.swift", "*_test.dart", "*_test.cc", "*_test.cpp", "*.bats",
)  # fmt: skip


def is_test(path: str) -> bool:
    """True when a file is a test, or belongs to tests."""
    return first_match(path, _TESTS) is not None
