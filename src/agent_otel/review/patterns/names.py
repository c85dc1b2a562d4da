"""Paths and symbols that a text of the harness names: only what is written as code is.

In Markdown that is what stands between backticks, and a path with a folder and the ending of a file wherever it
stands. Addresses, absolute paths and placeholders (``<name>``, ``{id}``, ``$HOME``) name nothing of a repository.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

Kind = Literal["path", "symbol"]

_FENCE: Final = re.compile(r"^\s*(?:```|~~~)")
_CODE: Final = re.compile(r"(`+)(?P<code>.+?)\1")
_ADDRESS: Final = re.compile(r"\b\w+://\S+|\bwww\.\S+")
_WORD: Final = re.compile(r"[^\s`'\"()\[\],;|]+")
_PLACE: Final = re.compile(r"(?::\d+(?:[-:]\d+)?|#\S*)$")
_EDGES: Final = ".,:;!?*_"
_NOT_IN_PATHS: Final = re.compile(r"[<>{}$\\:=%&^~…]|\.\.\.|//|^[/@-]")
_SYMBOL: Final = re.compile(r"^(?:[A-Za-z_]\w*(?:\.|::|#))*(?P<name>[A-Za-z_]\w*)(?P<call>\(\))?$", re.ASCII)
_CODE_LIKE: Final = re.compile(r"[a-z0-9][A-Z]|[A-Za-z0-9]_[A-Za-z0-9]|[A-Z]{2}[a-z]", re.ASCII)
_LONGEST: Final = 200
_SHORTEST_SYMBOL: Final = 4
_SUFFIXES: Final = re.compile(
    r"(?:ba|z)?sh|[ch](?:pp|h|s|xx)?|cc|cfg|clj|conf|css|dart|exs?|go|gradle|graphql|html?|ini|ipynb|java|[cm]?[jt]sx?"
    r"|jsonc?|kts?|lock|lua|md[cx]?|mk|mli?|php|pl|proto|ps1|pyi?|r|rb|rs|rst|s[ac]ss|scala|sql|svelte|swift|tf|toml|txt"
    r"|vue|xml|ya?ml|zig",
    re.IGNORECASE,
)


class Name(NamedTuple):
    """Something that a line names; a path may have wildcards, and is as it stands there, which may be in a folder."""

    line: int
    kind: Kind
    text: str


def names_in(text: str) -> Iterator[Name]:
    """What a Markdown text names, line by line."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            yield from _paths(number, _words(line), bare=False)
        else:
            spans = [found["code"].strip() for found in _CODE.finditer(line)]
            for span in spans:
                yield from _of_code(number, span)
            yield from _paths(number, _words(_CODE.sub(" ", line)), bare=True)


def paths_in_command(line: str) -> Iterator[str]:
    """The paths, with a folder, that a pattern of command lines names; a word with wildcards may be of anything."""
    return (name.text for name in _paths(0, _words(line), bare=False) if not is_glob(name.text))


def is_glob(path: str) -> bool:
    """True for a path with wildcards."""
    return "*" in path or "?" in path


def path_of(word: str) -> str | None:
    """The path that a word is, relative to where it stands; None where it is none."""
    plain = _PLACE.sub("", word).removeprefix("@").removeprefix("./")
    if not plain or len(plain) > _LONGEST or _NOT_IN_PATHS.search(plain):
        return None
    folders = posixpath.normpath(plain)
    return folders if "/" in plain.rstrip("/") or plain.endswith("/") or _has_suffix(folders) else None


def _of_code(number: int, span: str) -> Iterator[Name]:
    words = _words(span)
    if len(span.split()) > 1 or not words:
        yield from _paths(number, words, bare=False)
        return
    path = path_of(span)
    symbol = None if path else _SYMBOL.match(span)
    if path:
        yield Name(number, "path", path)
    elif symbol and _is_code_like(symbol["name"], called=bool(symbol["call"])):
        yield Name(number, "symbol", symbol["name"])


def _is_code_like(name: str, *, called: bool) -> bool:
    """True for a name that nobody would write in prose; one that is called may be any word."""
    return len(name) >= _SHORTEST_SYMBOL and (called or _CODE_LIKE.search(name) is not None)


def _paths(number: int, words: Iterable[str], *, bare: bool) -> Iterator[Name]:
    """The words that are paths with a folder; in prose (``bare``) those alone that end as files do."""
    for word in words:
        path = path_of(word.strip(_EDGES) if bare else word)
        if path and "/" in path and (not bare or _has_suffix(path)):
            yield Name(number, "path", path)


def _words(line: str) -> list[str]:
    return _WORD.findall(_ADDRESS.sub(" ", line))


def _has_suffix(path: str) -> bool:
    stem, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return bool(stem and dot) and _SUFFIXES.fullmatch(suffix) is not None
