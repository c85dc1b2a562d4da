"""Which paths a pattern covers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.review.globs import first_match, is_path_pattern, matches

COVERED = [
    ("src/a.py", "src/*.py"),
    ("src/a.py", "src/**"),
    ("src/deep/er/a.py", "src/**"),
    ("src/a.py", "src/**/a.py"),
    ("src/x/y/a.py", "src/**/a.py"),
    ("a.py", "**/a.py"),
    ("src/a.py", "**"),
    ("src/a.py", "src"),
    ("src/a.py", "src/"),
    ("src/deep/a.py", "src/deep"),
    ("src/deep/a.py", "./src/deep"),
    ("./src/deep/a.py", "src/deep/"),
    ("deep/src/a.py", "src"),
    ("deep/a.pem", "*.pem"),
    ("a.pem", "?.pem"),
    ("src/a.py", "/src"),
    ("src/dashboard/a.ts", "dashboard"),
    ("src/dashboard.test.ts", "dashboard"),
    ("src/routes/[token].ts", "src/routes/[token].ts"),
    ("src/a/b/c/d.py", "src/*/b/**/d.py"),
    ("aXbXc", "a*b*c"),
    ("src\\win\\a.py", "src/win/*.py"),
    ("/home/dev/app/src/deep/a.py", "src/**"),
    ("/home/dev/app/src/a.py", "./src/a.py"),
    ("/home/dev/app/a.py", "./a.py"),
    ("/etc/passwd", "/etc/**"),
    ("C:\\app\\src\\a.py", "src/*.py"),
    ("\\\\host\\app\\src\\a.py", "src/*.py"),
]

NOT_COVERED = [
    ("src/deep/a.py", "src/*.py"),
    ("src/deep/a.py", "src/*"),
    ("src/a.py", "lib/**"),
    ("srcx/a.py", "src/**"),
    ("deep/src/a.py", "/src"),
    ("src/dashboards/a.ts", "dashboard"),
    ("src/my-dashboard.ts", "dashboard"),
    ("src/routes/t.ts", "src/routes/[token].ts"),
    ("docs.md/a.py", "*.md"),
    ("ab", "?"),
    ("a", "a?"),
    ("src/a.py", ""),
    ("", "src"),
    ("src", "src/deep"),
    ("/home/dev/app/src/deep/a.py", "src/*.py"),
    ("/home/dev/app/srcx/a.py", "src/**"),
    ("/home/dev/app/docs/a.md", "src/**"),
    ("home/dev/src/a.py", "src/*.py"),
]


@pytest.mark.parametrize(("path", "pattern"), COVERED)
def test_pattern_covers(path: str, pattern: str) -> None:
    """These paths are meant by these patterns."""
    assert matches(path, pattern)


@pytest.mark.parametrize(("path", "pattern"), NOT_COVERED)
def test_pattern_does_not_cover(path: str, pattern: str) -> None:
    """These paths are not meant by these patterns."""
    assert not matches(path, pattern)


def test_first_matching_pattern_is_named() -> None:
    """A finding can say which pattern it was."""
    assert first_match("src/a.py", ["lib/**", "src/**", "src/a.py"]) == "src/**"
    assert first_match("src/a.py", ["lib/**"]) is None


def test_prose_is_no_pattern() -> None:
    """Scopes written as sentences match no path, so they must not be taken for patterns."""
    assert is_path_pattern("src/**")
    assert is_path_pattern("dashboard")
    assert is_path_pattern("my docs/**")
    assert not is_path_pattern("the invite flow only")
    assert not is_path_pattern("  ")


@given(st.lists(st.sampled_from(["src", "a", "b.py", "deep"]), min_size=1, max_size=5))
@settings(max_examples=100)
def test_every_path_is_covered_by_itself_and_by_its_folders(segments: list[str]) -> None:
    """A folder's name covers all that is below it."""
    path = "/".join(segments)
    for length in range(1, len(segments) + 1):
        assert matches(path, "/" + "/".join(segments[:length]))
        assert matches(path, "/".join([*segments[:length], "**"]))


def test_pattern_of_many_stars_is_cheap() -> None:
    """A pattern made to backtrack costs about as much as any other."""
    begin = time.perf_counter()
    assert not matches("a" * 5_000, "*a" * 200 + "b")
    assert not matches("/".join("a" * 400), "/".join(["**", "a"] * 40) + "/b")
    assert time.perf_counter() - begin < 5
