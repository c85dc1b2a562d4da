"""Which program a command line runs, in a word or two: few enough to count by."""

from __future__ import annotations

import re
from typing import Final

_LEADING_CD: Final = re.compile(r"(?:[\s(]*cd\s+[^;&|]*(?:&&|;))*")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_WORD: Final = re.compile(r"[a-z][a-z0-9:_.-]{0,24}")
_WRAPPERS: Final = frozenset({"sudo", "env", "time", "nice", "nohup", "exec", "command"})
_WITH_COMMANDS: Final = frozenset(
    {"git", "go", "cargo", "npm", "pnpm", "yarn", "bun", "npx", "uv", "poetry", "pip", "docker", "kubectl", "make"}
    | {"dotnet", "mvn", "gradle", "bundle", "gh", "hg", "svn", "tox", "nox", "just"}
)
_PYTHON: Final = re.compile(r"python[0-9.]*")
_LONGEST: Final = 40
_LOOKED_AT: Final = 2000
_MODULE: Final = 3


def program_of(command: str) -> str:
    """The program, with the command it is given where it is a program of many (``git push``, ``python -m pytest``)."""
    words = _LEADING_CD.sub("", command[:_LOOKED_AT], count=1).split()
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in _WRAPPERS):
        del words[0]
    if not words:
        return "(nothing)"
    name = words[0].strip("\"'();&|").rsplit("/", 1)[-1][:_LONGEST] or "(nothing)"
    if _PYTHON.fullmatch(name):
        is_module = len(words) >= _MODULE and words[1] == "-m" and _WORD.fullmatch(words[2])
        return f"python -m {words[2]}" if is_module else "python"
    if name in _WITH_COMMANDS and len(words) > 1 and _WORD.fullmatch(words[1]):
        return f"{name} {words[1]}"
    return name
