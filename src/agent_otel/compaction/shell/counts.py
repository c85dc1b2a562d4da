"""How many tests passed and failed, or how many problems were found, by the last words of a check's output.

Each tool has its own summary line; the last one in the text counts, since a log may hold several runs. What is not
recognised is not counted. Where a line runs several checks, only a summary in the tool's own form is that tool's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from agent_otel.model.record import Counts

LONGEST: Final = 20_000
"""Characters of output that are read, from the end."""

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Summary(NamedTuple):
    """A form of summary: where it stands in the output, and how its numbers are read.

    ``adds`` where a tool writes one for each part of a run, so that all of them count together.
    """

    tool: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Mapping[str, int]]
    adds: bool = False


_WORDS: Final[Mapping[str, str]] = {
    "passed": "passed", "pass": "passed", "passing": "passed", "succeeded": "passed", "ok": "passed",
    "failed": "failed", "fail": "failed", "failing": "failed", "failures": "failed", "failure": "failed",
    "error": "errors", "errors": "errors",
    "skipped": "skipped", "skip": "skipped", "pending": "skipped", "ignored": "skipped", "todo": "skipped",
    "xfailed": "skipped", "xpassed": "passed", "incomplete": "skipped", "flaky": "passed", "interrupted": "errors",
}  # fmt: skip
"""What tools call the four numbers."""

_NUMBERED: Final = re.compile(r"(\d+) ([a-z]+)", re.IGNORECASE)
_NAMED: Final = re.compile(r"([A-Za-z]+)\s*[:=]\s*(\d+)")


def _tally(pairs: list[tuple[str, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, word in pairs:
        field = _WORDS.get(word.casefold())
        if field is not None:
            found[field] = found.get(field, 0) + int(number)
    return found


def _numbers(match: re.Match[str]) -> dict[str, int]:
    """``1 failed, 41 passed``."""
    return _tally(_NUMBERED.findall(match[0]))


def _numbers_of_things(match: re.Match[str]) -> dict[str, int]:
    """``2 checks passed``."""
    return _tally(re.findall(rf"(\d+) (?:(?:{_THINGS}) )?([a-z]+)", match[0]))


def _names(match: re.Match[str]) -> dict[str, int]:
    """``Failed: 1, Passed: 41``."""
    return _tally([(number, word) for word, number in _NAMED.findall(match[0])])


def _of_total(match: re.Match[str]) -> dict[str, int]:
    """``Tests run: 42, Failures: 1``, and what else tells a total and what went wrong of it."""
    found = {"failed": 0, "errors": 0, "skipped": 0} | _names(match) | _numbers_of_things(match)
    found.pop("passed", None)
    total = int(next(group for group in match.groups() if group is not None))
    return {**found, "passed": max(total - sum(found.values()), 0)}


def _problems(match: re.Match[str]) -> dict[str, int]:
    """``Found 3 errors``: nothing passed that could be counted."""
    return {"errors": int(match[1])}


def _none(_: re.Match[str]) -> dict[str, int]:
    return {"errors": 0}


def _lines(match: re.Match[str]) -> dict[str, int]:
    """``# pass 3`` and ``# fail 1``, a line each."""
    return _tally([(number, word) for word, number in re.findall(r"# (\w+) (\d+)", match[0])])


def _go(match: re.Match[str]) -> dict[str, int]:
    """``--- FAIL: TestX``: each test that is named, one by one."""
    return {{"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}[match[1]]: 1}


def _one_error(_: re.Match[str]) -> dict[str, int]:
    return {"errors": 1}


_N: Final = r"\d{1,9}"
_S: Final = r"[ \t]*"
_PYTEST: Final = "passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|rerun|subtests passed"
_PLAYWRIGHT: Final = "failed|passed|flaky|skipped|interrupted|did not run"
_SIMPLE: Final = "passed|failed|passing|failing|errors?|skipped"
_THINGS: Final = "checks?|tests?|specs?|cases?|examples?|assertions?"


def _table(*rows: tuple[str, str, Callable[[re.Match[str]], Mapping[str, int]]]) -> tuple[Summary, ...]:
    return tuple(
        Summary(tool.removesuffix("+"), re.compile(pattern, re.MULTILINE), read, tool.endswith("+"))
        for tool, pattern, read in rows
    )


_PANICS: Final = r"Traceback \(most recent call last\)|panic: |INTERNALERROR|Segmentation fault|Command failed"
FAILING: Final = re.compile(
    rf"^(?:FAIL(?:$|\t\S+)|(?:\[\w+\] )?BUILD (?:FAILED|FAILURE)\b|npm (?:ERR!|error) "
    rf"|error Command failed with exit code|{_S}ELIFECYCLE\b|g?make(?:\[\d+\])?: \*\*\* "
    rf"|error: (?:could not compile|test failed|test run failed)|error: {_N} targets? failed)",
    re.MULTILINE,
)
"""Lines with which tools end that failed, whatever they counted."""
_DOUBT: Final = re.compile(
    rf"^{_S}(?:FAIL|ERROR|FATAL|error\b[:\[]|\[ERROR\]|{_PANICS}|Test (?:Suites|Files):?[ \t]+{_N} failed"
    rf"|Errors[ \t]+{_N} error)|\b[1-9]\d* (?:timed out|interrupted|did not run)\b",
    re.MULTILINE,
)
"""What speaks against a pass that only a count tells: suites that did not load, a coverage that is too low."""

SUMMARIES: Final = _table(
    ("pytest", rf"^=*{_S}(?:{_N} (?:{_PYTEST})(?:, )?)+ in [\d.:]+s?\b", _numbers),
    ("unittest", rf"^Ran ({_N}) tests? in [^\n]*\n+(?:OK|FAILED|NO TESTS RAN)[^\n]*", _of_total),
    ("jest", rf"^{_S}Tests:?[ \t]+(?:{_N} (?:failed|passed|skipped|todo|pending|total)(?:, | \| )?)+", _numbers),
    ("mocha", rf"^{_S}{_N} passing\b[^\n]*(?:\s+{_N} (?:pending|failing)\b[^\n]*)*", _numbers),
    ("playwright", rf"^{_S}{_N} (?:{_PLAYWRIGHT})(?: \([\d.]+m?s\))?$(?:\n[ \t]+[^\n]*)*", _numbers),
    ("cargo+", r"^test result: (?:ok|FAILED)\. [^\n]*", _numbers),
    ("nextest", rf"^{_S}Summary \[[^\]\n]*\] {_N} tests run: [^\n]*", _numbers),
    ("go+", rf"^{_S}--- (PASS|FAIL|SKIP): ", _go),
    ("go+", r"^FAIL[ \t]+\S+ \[(?:build|setup) failed\]", _one_error),
    ("rspec", rf"^({_N}) examples?, {_N} failures?[^\n]*", _of_total),
    ("minitest", rf"^({_N}) (?:runs|tests), {_N} assertions, [^\n]*", _of_total),
    ("phpunit", rf"^Tests: ({_N}), Assertions: [^\n]*", _of_total),
    ("phpunit", rf"^OK \(({_N}) tests?, {_N} assertions?\)", _of_total),
    ("dotnet+", r"^(?:Passed|Failed)![ \t]+- Failed:[^\n]*", _names),
    ("dotnet", rf"^{_S}Total tests: ({_N})$(?:\n[ \t]+(?:Passed|Failed|Skipped): {_N}$)*", _of_total),
    ("surefire", rf"^(?:\[\w+\] )?Tests run: ({_N}), Failures: {_N}, Errors: {_N}, Skipped: {_N}$", _of_total),
    ("gradle", rf"^({_N}) tests? completed(?:, {_N} (?:failed|skipped))*", _of_total),
    ("ctest", rf"tests passed, {_N} tests failed out of ({_N})", _of_total),
    ("mix", rf"^(?:{_N} (?:doctests?|properties|property), )*({_N}) tests?, {_N} failures?[^\n]*", _of_total),
    ("node", rf"^# pass {_N}$\n# fail {_N}$", _lines),
    ("swift", rf"Executed ({_N}) tests?, with (?:{_N} tests? skipped and )?{_N} failures?", _of_total),
    ("bun", rf"^{_S}{_N} pass$(?:\n{_S}{_N} (?:fail|skip|todo)$)*", _numbers),
    ("ruff", rf"^Found ({_N}) errors?\.", _problems),
    ("ruff", r"^All checks passed!$", _none),
    ("mypy", rf"^Found ({_N}) errors? in {_N} files?", _problems),
    ("mypy", r"^Success: no issues found", _none),
    ("pyright", rf"^({_N}) errors?, {_N} warnings?", _problems),
    ("eslint", rf"✖ {_N} problems? \(({_N}) errors?", _problems),
    ("tsc+", r"^\S+(?:\(\d+,\d+\):|:\d+:\d+ -) error TS\d+:", _one_error),
    ("golangci-lint", rf"^({_N}) issues[.:]", _problems),
    ("rubocop", rf"files? inspected, ({_N}) offenses? detected", _problems),
    ("rubocop", r"files? inspected, no offenses detected", _none),
    (
        "generic",
        rf"^[^\w\n]*(?:(?:all )?{_N} (?:(?:{_THINGS}) )?(?:{_SIMPLE})(?:[,;]? (?:and )?)?)+[^\w\n]*$",
        _numbers_of_things,
    ),
)
"""How tools end their output ("+": in several parts), the particular before the general."""


_OWN: Final[Mapping[str, frozenset[str]]] = {
    **{tool: frozenset([tool]) for tool in ("pytest", "unittest", "mocha", "playwright", "go", "rspec", "phpunit")},
    **{
        tool: frozenset([tool])
        for tool in ("dotnet", "ctest", "mix", "node", "swift", "bun", "ruff", "mypy", "pyright")
    },
    **{tool: frozenset([tool]) for tool in ("eslint", "tsc", "golangci-lint", "rubocop")},
    "py.test": frozenset(["pytest"]),
    "jest": frozenset(["jest"]),
    "vitest": frozenset(["jest"]),
    "cargo": frozenset(["cargo", "nextest"]),
    "basedpyright": frozenset(["pyright"]),
    "vue-tsc": frozenset(["tsc"]),
}
"""In which form a tool ends its output; any other tool runs who knows what, and ends in any form."""
_CUT: Final = " bytes cut, sha256 "


def counts(output: str, tool: str = "", *, alone: bool = True) -> Counts | None:
    """The numbers of the last summary in the output of a check; None where there is none.

    Args:
        output: what the line printed, or the end of it.
        tool: the program whose numbers are wanted.
        alone: False where the line runs other checks too, whose summaries are theirs.
    """
    said = _ESCAPES.sub("", output[-LONGEST:])
    own = _OWN.get(tool)
    best: tuple[int, Summary, list[re.Match[str]]] | None = None
    for summary in SUMMARIES:
        if summary.tool not in own if own is not None else not alone:
            continue
        matches = list(summary.pattern.finditer(said))
        if matches and (best is None or matches[-1].end() > best[0]):
            best = matches[-1].end(), summary, matches
    if best is None:
        return None
    _, summary, matches = best
    found: dict[str, int] = {}
    for match in matches if summary.adds else matches[-1:]:
        for field, number in summary.read(match).items():
            found[field] = found.get(field, 0) + number
    if summary.adds and _CUT in said:
        found.pop("passed", None)  # the parts that passed and were cut would be missing
    return Counts(**found) if found else None


def failing(output: str) -> bool:
    """True where a tool says in a line of its own that it failed."""
    return FAILING.search(_ESCAPES.sub("", output[-LONGEST:])) is not None


def clean(tallied: Counts | None, output: str) -> bool:
    """True where the numbers are those of a pass, and nothing else in the output speaks against one."""
    if tallied is None or tallied.failed or tallied.errors or not (tallied.passed or tallied.errors == 0):
        return False
    return not failing(output) and _DOUBT.search(_ESCAPES.sub("", output[-LONGEST:])) is None
