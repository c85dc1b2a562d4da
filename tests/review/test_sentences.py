"""Which sentences claim a success of checks, and the numbers in them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent_otel.review.sentences import sentences

CLAIMS = [
    ("All 4 tests pass.", [("test", 4)]),
    ("all tests pass", [("test", None)]),
    ("Tests passed", [("test", None)]),
    ("2 checks passed", [("test", 2)]),
    ("142 passed", [("test", 142)]),
    ("142/142 passing", [("test", 142)]),
    ("**142 of 142** tests pass", [("test", 142)]),
    ("142 out of the 142 tests are passing", [("test", 142)]),
    ("pytest passes (12 tests)", [("test", 12)]),
    ("it passes (12 tests)", [("test", 12)]),
    ("All 12 unit tests are green", [("test", 12)]),
    ("all 3 new tests pass", [("test", None)]),
    ("I added 3 tests and all tests pass", [("test", None)]),
    ("3 of the tests pass", [("test", None)]),
    ("4 passed, 0 failed", [("test", 4)]),
    ("Fixed the failing test and all 4 tests pass", [("test", 4)]),
    ("All tests pass, without any errors", [("test", None)]),
    ("All previously-failing tests pass", [("test", None)]),
    ("the build succeeds", [("build", None)]),
    ("It compiles cleanly", [("build", None)]),
    ("lint is clean", [("lint", None)]),
    ("There are no lint errors", [("lint", None)]),
    ("ruff passes", [("lint", None)]),
    ("type check passes", [("types", None)]),
    ("mypy is clean", [("types", None)]),
    ("Tests pass; the build is green", [("test", None), ("build", None)]),
    ("Tests pass.\nTests pass again.", [("test", None)]),
    ("Tests should pass. All 4 tests pass.", [("test", 4)]),
]
NO_CLAIMS = [
    "",
    "tests should pass",
    "once tests pass, merge",
    "could not run the tests",
    "tests do not pass",
    "the tests don't pass",
    "2 of 4 tests fail",
    "2 of 4 tests pass",
    "3/4 passing",
    "most tests pass",
    "not all tests pass",
    "make sure the tests pass",
    "if the build succeeds",
    "the build failed",
    "the linter will be clean",
    "tests pass except e2e",
    "I passed the test data on",
    "run the tests to see whether they pass",
]


@pytest.mark.parametrize(("text", "expected"), CLAIMS, ids=range(len(CLAIMS)))
def test_claims_are_found(text: str, expected: list[tuple[str, int | None]]) -> None:
    """A kind of check each, with the number that the sentence says passed."""
    assert [(each.topic.kind, each.number) for each in sentences(text)] == expected


@pytest.mark.parametrize("text", NO_CLAIMS, ids=range(len(NO_CLAIMS)))
def test_wishes_conditions_denials_and_parts_are_no_claims(text: str) -> None:
    """What is hoped for, or true of a part, is not said to be so."""
    assert list(sentences(text)) == []


@given(st.text(alphabet="12 tests pass/of all.\nd", max_size=80))
def test_no_text_is_too_odd(text: str) -> None:
    """Whatever an agent says is read without an error."""
    assert len(list(sentences(text))) <= 4
