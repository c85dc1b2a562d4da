"""The line of an output that tells the error, and the file that it is about.

Of the first kind in the table that any line is of, the line that comes first in the alphabet: tests and compilers run
in parallel, so that what they print comes in any order. Only the end of an output is kept, which loses the beginning.
"""

from __future__ import annotations

import re
from typing import Final

from agent_otel.review.fingerprints.normalise import MOST_READ, normalised

_LAST_LINES: Final = 200
_CANDIDATES: Final = 50

KINDS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (tool, re.compile(pattern))
    for tool, pattern in (
        ("pytest", r"^(?:FAILED|ERROR) (\S+\.py\b\S*|\S+::\S+)"),
        # Python 3.11 and newer repeat the test's name behind its class.
        ("unittest", r"^((?:FAIL|ERROR): (\w+) \(\S+?)(?:\.\2)?\)"),
        ("jest", r"^\s*●\s+(?!Console)(.*\S)"),
        ("vitest", r"^\s*FAIL\s+(\S.* > .*\S)"),
        ("playwright", r"^\s+(?:\d+\) )?\[\w+\] › (.+?)(?: ─+)?$"),  # noqa: RUF001 - as it prints it
        ("rspec", r"^rspec (\./\S+:\d+ # .+)"),
        ("mocha", r"^\s+\d+\) (.+\S):?$"),
        ("go test", r"^\s*--- FAIL: (\S+)"),
        ("go panic", r"^(panic: .+)"),
        ("cargo test", r"^test (.+) \.\.\. FAILED$"),
        ("rustc", r"^(error\[E\d+\]: .+)"),
        ("tsc", r"(error TS\d+: .+)"),
        ("msbuild", r"(error [A-Z]{2,6}\d{3,5}: .+?)(?: \[[^\]]*proj\])?$"),
        ("dotnet test", r"^\s+Failed (\S+)(?: \[.*\])?$"),
        ("eslint", r"^\s+\d+:\d+\s+error\s+(.+)"),
        ("javac", r"(?:^\[ERROR\] .*\.(?:java|kt):\[\d+,\d+\] |\.java:\d+: error: )(.+)"),
        ("surefire", r"^\[ERROR\]\s+(\w[\w$]*[.:#][\w$]+)[:\s].*"),
        ("gradle test", r"^(\w\S* > \S.*) FAILED$"),
        ("gradle", r"^(Execution failed for task .+)"),
        ("ruff", r"^\S+:\d+:\d+: ([A-Z]{1,5}\d{2,4} .+)"),
        ("ruff, in full", r"^([A-Z]{1,5}\d{2,4} (?:\[\*\] )?\S.*)$"),
        ("mypy, gcc, clang", r"^\S+?:\d+(?::\d+)?: (?:fatal )?error: (.+)"),
        ("linker", r"(undefined reference to .+|cannot find -l\S+)"),
        ("go build", r"^(?:vet: )?\S+\.go:\d+(?::\d+)?: (.+)"),
        ("docker build", r"^ERROR: (failed to (?:solve|build).+)"),
        ("docker", r"(Error response from daemon: .+)"),
        ("git conflict", r"^(CONFLICT \(\S+\))"),
        ("git push", r"^ ! (\[(?:remote )?rejected\].+)"),
        ("npm", r"^npm (?:ERR!|error) (code \w+)"),
        ("pnpm", r"(ERR_PNPM_\w+.*)"),
        ("git", r"^(fatal: .+)"),
        ("http", r"(\b[45]\d\d (?:Client|Server) Error\b[^:]*|\bHTTP/?\S* [45]\d\d\b[^:]*|status[_ ]code:? [45]\d\d)"),
        (
            "python",
            r"^(?:E\s+)?((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|NotFound)\b(?::.*)?)$",
        ),
        ("javascript", r"^(?:Uncaught )?(\w*Error(?: \[\w+\])?: .+)"),
        ("pip", r"^ERROR: (.+)"),
        ("shell", r"([^:]+: (?:command not found|not found|Permission denied|No such file or directory))\s*$"),
        ("rust panic", r"^thread '.*' (?:\(\d+\) )?(panicked at .+)"),
        ("cargo", r"^(error: (?!could not compile|aborting due|test failed|process didn).+)"),
        ("an error", r"^((?:\w+: )?(?:error|Error|ERROR)\b:? \S.+)"),
        ("make", r"^(?:g?make|ninja)(?:\[\d+\])?: (\*\*\* .+)"),
        (
            "anything",
            r"(?i)(.*\b(?:error|failed|failure|fatal|exception|cannot|could not|unable|refused|timed out)\b.*)",
        ),
    )
)
"""Kind of output, and its line; the group is what tells the error."""

_PLACES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\s*FAIL\s+(\S+)",
        r"^\s*--> (\S+?):\d+:\d+",
        r"^\s*❯ (\S+?):\d+:\d+",  # noqa: RUF001 - as vitest prints it
        r"^(/\S+\.\w+|[A-Za-z]:\\\S+\.\w+)$",
        r"^\s+at .*?\(?((?:/|\w:\\|\w)[^\s():]*\.\w+):\d+:\d+\)?$",
        r'^\s*File "(\S+)", line \d+',
        r"^(?:\[ERROR\] )?(\S+?\.\w+)(?::\d|\(\d|:\[\d)",
        r"^\s+(\S+_test\.go):\d+: ",
    )
)
"""Lines that name the file, where the telling line does not; the first kind that names one counts."""


def telling(output: str) -> str | None:
    """The line that tells the error, as much of it as does; None where there is no line of a known kind."""
    lines = _lines(output)
    for _, pattern in KINDS:
        found = {match[1] for line in lines if (match := pattern.search(line))}
        if found:
            return min(sorted(found)[:_CANDIDATES], key=lambda line: (normalised(line), line))
    return None


def places(output: str) -> list[list[str]]:
    """The files that an output names as the place of an error: by kind of line, the most telling kind first."""
    lines = _lines(output)
    found = ([match[1] for line in lines if (match := pattern.search(line))] for pattern in _PLACES)
    return [sorted(set(names)) for names in found if names]


_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def _lines(output: str) -> list[str]:
    plain = _COLOURS.sub("", output)
    return [line[:MOST_READ].rstrip() for line in plain.splitlines()[-_LAST_LINES:] if line.strip()]
