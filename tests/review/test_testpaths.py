"""Which files are tests."""

from __future__ import annotations

import pytest

from agent_otel.review.testpaths import is_test


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_a.py", True),
        ("src/test_a.py", True),
        ("tests/data/in.json", True),
        ("packages/a/__tests__/b.ts", True),
        ("src/guard.spec.ts", True),
        ("src/guard.test.tsx", True),
        ("pkg/guard_test.go", True),
        ("src/main/java/GuardTest.java", True),
        ("conftest.py", True),
        ("src/guard.py", False),
        ("src/contest.py", False),
        ("src/latest/guard.py", False),
        ("docs/testing.md", False),
        ("", False),
    ],
)
def test_tests_are_known_by_their_names(path: str, expected: bool) -> None:
    """As test runners find them."""
    assert is_test(path) is expected
