"""The program that a command line is about, without what prepares, wraps and shortens it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SEPARATORS: Final = re.compile(r"\s*(?:&&|\|\||;|\n)\s*")
_WORDS: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_VALUED: Final = re.compile(r"\s(?:-[CcfpF]|--(?:prefix|cwd|dir|filter|git-dir|work-tree))\s+[^\s'\"]+")
"""Options with a value, which may stand before the verb."""

_PLACED: Final = re.compile(r"^(\s*(?:\S*/)?git)(?:\s+-[Cc]\s+\S+)+")
_SILENCED: Final = re.compile(r"\s*(?:[12&]?>\s*/dev/null|2>&1)")
_LONGEST: Final = 4000
_ASSIGNMENT: Final = re.compile(r"^\w+=")
_SHELLS: Final = re.compile(r"""^(?:\S*/)?(?:ba|z|da|k)?sh\s+-\w*c\s+(['"])(?P<inner>.*)\1\s*$""", re.DOTALL)
_SUFFIX: Final = re.compile(r"(?<=[a-z])(?:[\d.]+|\.exe|\.cmd)$")
_SAME: Final = {"gradlew": "gradle", "mvnw": "mvn", "nodejs": "node"}
_PREPARING: Final = frozenset(
    [
        "cd",
        "export",
        "set",
        "source",
        ".",
        "unset",
        "pushd",
        "popd",
        "echo",
        "true",
        "mkdir",
        "sleep",
        "ls",
        "cat",
        "pwd",
        "which",
        "test",
        "[",
        "exit",
        "head",
        "tail",
    ]
)
_SETTING_OUT: Final = frozenset(["cd", "export", "set", "source", ".", "unset", "pushd", "popd", "echo", "true", "pwd"])
"""What of a line changes nothing but where and how the rest of it runs."""

_WRAPPERS: Final = {
    **dict.fromkeys(
        [
            "sudo",
            "env",
            "time",
            "nice",
            "nohup",
            "xvfb-run",
            "npx",
            "bunx",
            "pnpx",
            "corepack",
            "exec",
            "command",
            "stdbuf",
        ],
        1,
    ),
    "timeout": 2,
    **{f"{tool} {verb}": 2 for tool in ("uv", "poetry", "pipenv", "pdm", "hatch", "rye") for verb in ("run",)},
    **{f"{tool} exec": 2 for tool in ("pnpm", "npm", "yarn", "bundle", "mise")},
    **dict.fromkeys(("python -m", "py -m"), 2),
}
"""What stands before the program, and how many words that are."""

_VERBS: Final = frozenset(
    [
        "git",
        "docker",
        "podman",
        "npm",
        "pnpm",
        "yarn",
        "bun",
        "cargo",
        "go",
        "make",
        "gradle",
        "mvn",
        "dotnet",
        "pip",
        "kubectl",
        "helm",
        "terraform",
        "bundle",
        "poetry",
        "uv",
        "rake",
        "mix",
        "composer",
        "swift",
        "bazel",
        "nx",
        "turbo",
        "conda",
        "apt",
        "apt-get",
        "brew",
        "deno",
        "flutter",
    ]
)
"""Programs that do many things; the verb belongs to the name."""

_INTERPRETERS: Final = frozenset(
    ["python", "node", "ruby", "perl", "php", "bash", "sh", "zsh", "deno", "bun", "tsx", "ts-node", "Rscript", "lua"]
)
_SCRIPT: Final = re.compile(r"^[\w.-]{1,60}\.\w{1,5}$")
_RUNNERS: Final = frozenset(
    ("docker compose", *(f"{tool} {verb}" for tool in ("npm", "pnpm", "yarn", "bun") for verb in ("run", "run-script")))
)
"""Verbs that say what to do with the word after them."""


def program(line: str) -> str:
    """The program, with its verb where it has many: ``pytest``, ``npm test``, ``go vet``; empty where there is none."""
    shell = _SHELLS.match(line.strip())
    parts = [_program(part) for part in _SEPARATORS.split(shell["inner"] if shell else line)]
    doing = [part for part in parts if part and part.split()[0] not in _PREPARING]
    return (doing or [part for part in parts if part] or [""])[-1]


_PLAIN: Final = re.compile(r"(?P<name>[a-z][a-z-]*)(?: (?!-[Cc] )[\w./:@%+,=-]+)*", re.ASCII)
_NOT_PLAIN: Final = frozenset((*(name.split()[0] for name in _WRAPPERS), *_SAME, "sh", "bash", "zsh", "dash", "ksh"))
"""Most lines are one command in words that mean themselves: they do what they say, which is seen much sooner."""


@lru_cache(maxsize=16384)
def doings(line: str) -> tuple[str, ...]:
    """What a line does, one after the other, without what prepares and wraps it.

    Lines that write the same otherwise (in another folder, through a shell, by the path of the program) are equal then;
    options are not left out, since they change what is done.
    """
    text = line.strip()[:_LONGEST]
    plain = _PLAIN.fullmatch(text)
    if plain and plain["name"] not in _NOT_PLAIN:
        return (text,)
    shell = _SHELLS.match(text)
    parts = [_doing(part) for part in _SEPARATORS.split(shell["inner"] if shell else text)]
    known = dict.fromkeys(part for part in parts if part)
    return tuple(part for part in known if part.split()[0] not in _SETTING_OUT) or tuple(known)


def _doing(part: str) -> str:
    words = _unwrapped(_WORDS.findall(_PLACED.sub(r"\1", _SILENCED.sub("", part))))
    return " ".join((_name(words[0]), *(word.strip("'\"") for word in words[1:]))) if words else ""


def _program(part: str) -> str:
    words = _unwrapped(_WORDS.findall(_VALUED.sub(" ", part.partition("|")[0])))
    plain = [word for word in words[1:] if not word.startswith(("-", "<", ">", "2>", "&"))]
    name = _name(words[0]) if words else ""
    script = plain[0].rpartition("/")[2].strip("'\"") if plain else ""
    if name in _INTERPRETERS and _SCRIPT.match(script):
        return script
    if name not in _VERBS or not plain:
        return name
    verb = plain[1] if f"{name} {plain[0]}" in _RUNNERS and len(plain) > 1 else plain[0]
    return f"{name} {verb}"


def _unwrapped(words: list[str]) -> list[str]:
    """The words from the program on; what wraps it may be wrapped itself."""
    while number := _wrapping(words):
        words = words[number:]
        while words and words[0].startswith("-"):
            words = words[1:]
    return words


def _wrapping(words: list[str]) -> int:
    if not words:
        return 0
    if _ASSIGNMENT.match(words[0]):
        return 1
    name = _name(words[0])
    return _WRAPPERS.get(" ".join((name, *words[1:2])), _WRAPPERS.get(name, 0))


def _name(word: str) -> str:
    name = _SUFFIX.sub("", word.strip("'\"").replace("\\", "/").rpartition("/")[2])
    return _SAME.get(name, name)
