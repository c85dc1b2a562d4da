"""Command lines taken apart: words, redirections, here-documents, and what joins commands."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from agent_otel.compaction.shell.checks import checks
from agent_otel.compaction.shell.counts import counts
from agent_otel.compaction.shell.effects import effects
from agent_otel.compaction.shell.lines import LONGEST, commands

LINES = [
    ("", []),
    ("ls", [("", ["ls"], "")]),
    (
        "cd a && FOO=1 pytest -q 2>&1 | tail -5; echo $?",
        [
            ("", ["cd", "a"], "&&"),
            ("&&", ["pytest", "-q"], "|"),
            ("|", ["tail", "-5"], ";"),
            (";", ["echo", "$?"], ""),
        ],
    ),
    ("(cd x; make test) || true", [("", ["cd", "x"], ";"), (";", ["make", "test"], "||"), ("||", ["true"], "")]),
    ("a &", [("", ["a"], "&")]),
    ("a\nb # said\n# nothing\nc", [("", ["a"], ";"), (";", ["b"], ";"), (";", ["c"], "")]),
    ('echo \'a b\' "c \\"d\\" $e" f\\ g', [("", ["echo", "a b", 'c "d" $e', "f g"], "")]),
    (
        "echo $(cat `pwd`/f) $((1+2)) <(ls (x))",
        [("", ["echo", "$(cat `pwd`/f)", "$((1+2))", "<(ls (x))"], "")],
    ),
    ("echo $'a\\'b'", [("", ["echo", "$'a\\'b'"], "")]),
    ("echo a#b a2>c", [("", ["echo", "a#b", "a2"], "")]),
    ("X=1", []),
    ("X=1 > f", [("", [], "")]),
    ("a \\\n b", [("", ["a", "b"], "")]),
    ("echo 'open", [("", ["echo", "open"], "")]),
    ('echo "open', [("", ["echo", "open"], "")]),
    ("echo $(open", [("", ["echo", "$(open"], "")]),
    ("echo `open", [("", ["echo", "`open"], "")]),
    ("a ;; b", [("", ["a"], ";;"), (";;", ["b"], "")]),
    ("a\\", [("", ["a\\"], "")]),
]


@pytest.mark.parametrize(("line", "expected"), LINES, ids=range(len(LINES)))
def test_lines_are_taken_apart(line: str, expected: list[tuple[str, list[str], str]]) -> None:
    """Each simple command, with what stands before and after it; quotes are gone, and nothing is expanded."""
    found = [(each.before, [word.text for word in each.words], each.after) for each in commands(line)]
    assert found == expected


@pytest.mark.parametrize(
    ("line", "certain"),
    [
        ("cat a.py", True),
        ("cat *.py", False),
        ("cat $F", False),
        ("cat '$F'", True),
        ('cat "$F"', False),
        ('cat "\\$F"', True),
        ("cat a\\*b", True),
        ("cat `ls`", False),
        ("cat {a,b}", False),
    ],
)
def test_what_the_shell_would_change_is_not_certain(line: str, certain: bool) -> None:
    """A word with a variable, a substitution or a pattern may become any other."""
    assert commands(line)[0].words[1].certain is certain


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("if a; then b; else c; fi; d", [True, True, True, False]),
        ("for f in *.py; do a; done; b", [True, False]),
        ("while a; do b; done", [True, True]),
        ("! a && b", [True, False]),
        ("{ a; }", [False]),
        ("done; a", [False]),
    ],
)
def test_conditions_loops_and_negations_make_commands_optional(line: str, expected: list[bool]) -> None:
    """Whether such a command ran, and went well, the line's own end does not tell."""
    assert [each.optional for each in commands(line)] == expected


def test_redirections_and_documents() -> None:
    """Where output goes, and what a here-document or here-string holds; the command goes on behind the operator."""
    line = "cat <<'A' <<-B > f 2>&1 && ls\none\nA\n\ttwo\n\tB\npwd <<< said"
    first, second, third = commands(line)
    assert [(each.operator, each.target.text, each.body) for each in first.redirects] == [
        ("<<", "A", "one\n"),
        ("<<-", "B", "\ttwo\n"),
        (">", "f", ""),
        ("2>&", "1", ""),
    ]
    assert (second.name, third.name, third.redirects[0].body) == ("ls", "pwd", "said")


def test_a_document_without_an_end_holds_the_rest() -> None:
    """A line that was cut has no delimiter."""
    (only,) = commands("cat <<A\none")
    assert only.redirects[0].body == "one"


@given(st.text(alphabet="ab '\"\\$`()<>&|;#\n=*-!{}2", max_size=60))
def test_no_line_is_too_odd(line: str) -> None:
    """Whatever a line holds, it is read without an error."""
    assert isinstance(effects(line), list)
    assert isinstance(checks(line), list)
    counts(line)


@given(
    st.lists(st.sampled_from(["pytest", "npm test", "ls", "echo pytest", "cargo test | tail", "(tox)", "mypy || ls"]))
)
def test_checks_of_lines_are_the_checks_of_each(lines: list[str]) -> None:
    """Lines one after the other run what each of them runs."""
    together = [check.name for check in checks("\n".join(lines))]
    assert together == [check.name for line in lines for check in checks(line)]


HOSTILE = [
    "npm " + "-a " * LONGEST,
    "black " + "a " * LONGEST,
    "bash -c " * LONGEST,
    "1 passed " * LONGEST,
    "cat <<E\n" * LONGEST,
    *(odd * LONGEST for odd in ("(", "$(", "$((", "<<A ", "'", "\\", "\n", "if ", "sudo ", "`", "x;", "a&&", '"$')),
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_lines_take_no_longer(line: str) -> None:
    """Lines made to be slow are read in proportion to their length, and no further than a limit."""
    begun = time.process_time()
    effects(line)
    checks(line)
    counts(line)
    assert time.process_time() - begun < 3
