"""Programs that run other programs: what stands behind ``timeout 30``, ``sudo``, ``uv run``, ``bash -c``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from agent_otel.compaction.shell.lines import Command, Word

DEEPEST: Final = 12
"""How many such programs are seen through; more are stacked by nobody."""


class Wrapper(NamedTuple):
    """How a program is told what to run.

    ``verbs`` are words that must follow it (``run`` of ``uv run``). ``valued`` are its options that take the next
    word. ``operands`` is how many words of its own come before the program (the duration of ``timeout``). With one of
    ``unless`` it does not wait for the program, and nothing is known of that.
    """

    verbs: tuple[str, ...] = ()
    valued: frozenset[str] = frozenset()
    operands: int = 0
    unless: frozenset[str] = frozenset()


_CONTAINER: Final = frozenset(
    ["-w", "-u", "-e", "-v", "-p", "--workdir", "--user", "--env", "--volume", "--name", "--network", "--mount"]
)
_DETACHED: Final = frozenset(["-d", "--detach"])

WRAPPERS: Final[Mapping[str, Wrapper]] = {
    "timeout": Wrapper(valued=frozenset(["-s", "-k", "--signal", "--kill-after"]), operands=1),
    "gtimeout": Wrapper(valued=frozenset(["-s", "-k", "--signal", "--kill-after"]), operands=1),
    "sudo": Wrapper(valued=frozenset(["-u", "-g", "-C", "-D"])),
    "doas": Wrapper(valued=frozenset(["-u"])),
    "env": Wrapper(valued=frozenset(["-u", "-C", "-S", "--unset", "--chdir"])),
    "time": Wrapper(valued=frozenset(["-f", "-o"])),
    "nice": Wrapper(valued=frozenset(["-n"])),
    "ionice": Wrapper(valued=frozenset(["-c", "-n"])),
    "nohup": Wrapper(),
    "stdbuf": Wrapper(valued=frozenset(["-i", "-o", "-e"])),
    "setsid": Wrapper(),
    "xargs": Wrapper(valued=frozenset(["-n", "-P", "-I", "-L", "-d", "-a"])),
    "command": Wrapper(),
    "exec": Wrapper(),
    "xvfb-run": Wrapper(valued=frozenset(["-n", "-s", "-e", "-f", "-w"])),
    "dotenv": Wrapper(verbs=("run",), valued=frozenset(["-f"])),
    "uv": Wrapper(
        verbs=("run",), valued=frozenset(["--with", "--python", "-p", "--group", "--extra", "--project", "--directory"])
    ),
    "uvx": Wrapper(valued=frozenset(["--with", "--from", "--python", "-p"])),
    "poetry": Wrapper(verbs=("run",)),
    "pdm": Wrapper(verbs=("run",)),
    "rye": Wrapper(verbs=("run",)),
    "hatch": Wrapper(verbs=("run",)),
    "pipenv": Wrapper(verbs=("run",)),
    "pixi": Wrapper(verbs=("run",)),
    "pipx": Wrapper(verbs=("run",)),
    "conda": Wrapper(verbs=("run",), valued=frozenset(["-n", "-p", "--name", "--prefix"])),
    "npx": Wrapper(valued=frozenset(["-p", "--package"])),
    "bunx": Wrapper(),
    "pnpx": Wrapper(),
    "bundle": Wrapper(verbs=("exec",)),
    "mise": Wrapper(verbs=("exec", "x")),
    "direnv": Wrapper(verbs=("exec",), operands=1),
    "coverage": Wrapper(verbs=("run",), valued=frozenset(["--source", "--rcfile", "--include", "--omit"])),
    "agent-otel": Wrapper(verbs=("exec", "run"), valued=frozenset(["--name", "--db", "--endpoint"])),
    **dict.fromkeys(
        ("docker", "podman"), Wrapper(verbs=("exec", "run"), valued=_CONTAINER, operands=1, unless=_DETACHED)
    ),
    **dict.fromkeys(
        ("docker-compose",), Wrapper(verbs=("exec", "run"), valued=_CONTAINER, operands=1, unless=_DETACHED)
    ),
}
"""Programs and what they need before the program that they run."""

SHELLS: Final = frozenset(["bash", "sh", "zsh", "dash", "ksh", "fish"])
_LINE_OPTION: Final = re.compile(r"-[a-z]*c[a-z]*")
_PYTHON: Final = re.compile(r"(?:python|pypy)[0-9.]*|py")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")


def unwrapped(command: Command) -> Command | str:
    """The command that is really run; of ``bash -c 'line'`` the line."""
    words = command.words
    for _ in range(DEEPEST):
        if _is_shell(words):
            line = _line_of(words)
            return command._replace(words=words) if line is None else line
        inner = _inside(words)
        if inner is None:
            break
        words = inner
    return command._replace(words=words)


def _is_shell(words: tuple[Word, ...]) -> bool:
    return bool(words) and _name(words[0]) in SHELLS


def _line_of(words: tuple[Word, ...]) -> str | None:
    for place, word in enumerate(words[1:-1], start=1):
        if _LINE_OPTION.fullmatch(word.text):
            return words[place + 1].text
    return None


def _inside(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """The words of the program that these run, None where they run none."""
    if not words:
        return None
    name = _name(words[0])
    if _PYTHON.fullmatch(name):
        return _module(words)
    wrapper = WRAPPERS.get(name)
    if wrapper is None or not wrapper.unless.isdisjoint(word.text for word in words):
        return None
    rest = list(words[1:])
    if rest and rest[0].text == "compose":  # "docker compose" is what docker-compose was
        wrapper = WRAPPERS["docker-compose"]
        rest.pop(0)
    if wrapper.verbs:
        _drop_options(rest, wrapper)
        if not rest or rest.pop(0).text not in wrapper.verbs:
            return None
    _drop_options(rest, wrapper)
    del rest[: wrapper.operands]
    return tuple(rest) or None


def _module(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """Of ``python -m pytest -q`` what follows ``-m``."""
    for place, word in enumerate(words[1:-1], start=1):
        if word.text == "-m":
            return words[place + 1 :]
        if not word.text.startswith("-") and words[place - 1].text not in ("-W", "-X"):
            return None
    return None


def _drop_options(rest: list[Word], wrapper: Wrapper) -> None:
    while rest and (rest[0].text.startswith(("-", "+")) or _ASSIGNMENT.match(rest[0].text)):
        option = rest.pop(0).text
        if option == "--":
            return
        if option in wrapper.valued and rest:
            rest.pop(0)


def _name(word: Word) -> str:
    return word.text.rpartition("/")[2]
