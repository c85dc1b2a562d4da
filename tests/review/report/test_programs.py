"""Which program a command line runs."""

from __future__ import annotations

import pytest
from hypothesis import given

from agent_otel.review.report.programs import program_of
from hostile_records import TEXTS

CASES = {
    "pytest -q": "pytest",
    "cd /repo && python -m pytest tests": "python -m pytest",
    "cd a; cd b && npm test -- --watch": "npm test",
    "python3.11 script.py": "python",
    "python -m": "python",
    "python -m ../odd": "python",
    "/usr/bin/git push origin main": "git push",
    "git -C x status": "git",
    "git": "git",
    "CI=1 FORCE=yes sudo env pnpm run build": "pnpm run",
    "(cd x; make)": "make",
    "./gradlew test": "gradlew",
    "A=1": "(nothing)",
    "\"'": "(nothing)",
    "": "(nothing)",
}


@pytest.mark.parametrize("command", CASES, ids=range(len(CASES)))
def test_program_is_named_in_a_word_or_two(command) -> None:
    """Whatever leads there, and whatever it is told to do."""
    assert program_of(command) == CASES[command]


@given(TEXTS)
def test_names_are_short(command) -> None:
    """Any command line has one."""
    assert 0 < len(program_of(command)) <= 40
