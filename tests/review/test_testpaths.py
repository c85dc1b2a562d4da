"""Which files are tests."""

from __future__ import annotations

import pytest

from agent_otel.model.record import ChangedFile, Command, RunRecord, Verification
from agent_otel.review.testpaths import edited_tests, is_test, relies_on_tests


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


def check(name: str, **fields) -> Verification:
    """A check that passed."""
    return Verification(**{"id": "v1", "check": name, "outcome": "pass", **fields})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (check("unit tests"), True),
        (check("unit", command="pytest -q"), True),
        (check("unit", kind="test"), True),
        (check("test the build", kind="build"), False),
        (check("unit"), False),
        (check("unit tests", outcome="not_run"), False),
    ],
)
def test_a_check_relies_on_tests_by_its_kind_or_its_words(given: Verification, expected: bool) -> None:
    """What never ran relies on nothing."""
    assert relies_on_tests(given) is expected


def test_a_check_relies_on_tests_by_the_commands_it_rests_on() -> None:
    """Where it has a name of its own, and nothing says of which kind it is."""
    commands = [
        Command(id="c1", command="make all", result="passed"),
        Command(id="c2", command="jest", result="passed"),
    ]
    assert not relies_on_tests(check("unit"), commands[:1])
    assert relies_on_tests(check("unit"), commands)


def test_a_test_that_was_moved_away_was_changed() -> None:
    """By its old name, where the new one is none of a test."""
    moved = ChangedFile(path="old.py", old_path="test_a.py", operation="move")
    files = (ChangedFile(path="src/a.py", operation="edit"), moved, ChangedFile(path="test_b.py", operation="create"))
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended", changed_files=files)
    assert edited_tests(record) == files[1:]
