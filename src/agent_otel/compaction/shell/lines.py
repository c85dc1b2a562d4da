"""Command lines taken apart: simple commands, what joins them, and where their output goes.

Follows the shell command language of POSIX (IEEE 1003.1, chapter 2) as far as agents use it. Nothing is expanded: a
word in which the shell would put something else is not certain. Never raises, and takes time in proportion to the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

LONGEST: Final = 100_000
"""Of a longer line the beginning is read; nobody writes such a line by hand."""
MOST_WORDS: Final = 5_000

_TOKEN: Final = re.compile(
    r"""
      (?P<blank>[ \t\r]+|\\\n)
    | (?P<newline>\n)
    | (?P<process>[<>]\()
    | (?P<redirect>(?:[0-9]+|&)?(?:<<<|<<-?|<>|<&|>>|>&|>\||>|<))
    | (?P<join>&&|\|\||\|&|\||;;&?|;&|;|&)
    | (?P<group>[()])
    | (?P<single>'[^']*'?)
    | (?P<double>"(?:[^"\\]|\\.)*"?)
    | (?P<escaped>\\.)
    | (?P<ansi>\$'(?:[^'\\]|\\.)*'?)
    | (?P<open>\$\(\(?|`)
    | (?P<plain>[^\s'"\\$`&|;()<>]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_EXPANDED: Final = re.compile(r"[*?\[\]{}$`]")
_IN_DOUBLE: Final = re.compile(r"\\([$`\"\\\n])")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_OPENING: Final = frozenset(["if", "for", "while", "until", "case", "select"])
_CLOSING: Final = frozenset(["fi", "done", "esac"])
_NAMING: Final = frozenset(["for", "case", "select", "function"])
_KEYWORDS: Final = frozenset([*_OPENING, *_CLOSING, *_NAMING, "then", "else", "elif", "do", "in", "{", "}", "!"])


class Word(NamedTuple):
    """A word without its quotes; ``certain`` where the shell passes it on as it stands."""

    text: str
    certain: bool = True


class Redirect(NamedTuple):
    """A redirection, such as ``2>`` to a file; of a here-document ``body`` is what it holds."""

    operator: str
    target: Word
    body: str = ""


class Command(NamedTuple):
    """A simple command.

    ``before`` and ``after`` are what joins it with its neighbours: ``&&``, ``||``, ``|``, ``;``, ``&``, or "" at an
    end. ``optional`` where its end tells nothing of the line's: in a condition or a loop, or negated. ``group`` are the
    numbers of the brackets around it, the outermost first.
    """

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    before: str = ""
    after: str = ""
    optional: bool = False
    group: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The program, without its folder; "" where the command is none."""
        return self.words[0].text.rpartition("/")[2] if self.words else ""

    @property
    def arguments(self) -> tuple[Word, ...]:
        """What follows the program."""
        return self.words[1:]


def commands(line: str) -> list[Command]:
    """The simple commands of a line, in the order in which they stand; assignments before them are left out."""
    return _commands(_parts(line[:LONGEST]))


def decisive(found: Sequence[Command], joins: Sequence[str] = ("&&",)) -> list[bool]:
    """Of each command of a line, whether a line that ends well means that the command did.

    Args:
        found: the commands of the line.
        joins: what may stand between a command and the end of the line.
    """
    decided: list[bool] = []
    behind = True
    for command in reversed(found):
        joined = command.after in joins if decided else command.after not in ("&", "|")
        behind = behind and joined and not command.optional
        decided.append(behind)
    return decided[::-1]


Part = Word | Redirect | str
"""A word, a redirection, or what joins commands."""


def _parts(line: str) -> Iterator[Part]:
    reader = _Reader(line)
    for _ in range(MOST_WORDS):
        part = reader.part()
        if part is None:
            return
        yield part


class _Reader:
    """Reads a line part by part."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self._documents: list[tuple[int, str, bool]] = []
        self._resume = -1

    def part(self) -> Part | None:
        """The next part, None at the end."""
        while self._at < len(self._line):
            token = _TOKEN.match(self._line, self._at)
            assert token is not None  # noqa: S101 - for the type checker; the last alternative takes any character
            kind = token.lastgroup
            if kind == "blank":
                self._at = token.end()
            elif kind == "newline":
                self._at = max(token.end(), self._resume)
                self._resume = -1
                return ";"
            elif kind in ("join", "group"):
                self._at = token.end()
                return token[0]
            elif kind == "redirect":
                self._at = token.end()
                return self._redirect(token[0])
            elif token[0].startswith("#"):
                self._at = self._end_of_line(token.start())
            else:
                return self._word()
        return None

    def _end_of_line(self, start: int) -> int:
        end = self._line.find("\n", start)
        return len(self._line) if end < 0 else end

    def _redirect(self, operator: str) -> Redirect:
        while self._line[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1
        target = self._word()
        plain = operator.lstrip("0123456789")
        if plain in ("<<", "<<-"):
            return Redirect(operator, target, self._document(target.text, indented=plain == "<<-"))
        return Redirect(operator, target, target.text if plain == "<<<" else "")

    def _document(self, delimiter: str, *, indented: bool) -> str:
        """The body of a here-document: the lines from the next one on, up to that of the delimiter."""
        start = (self._resume if self._resume >= 0 else self._end_of_line(self._at)) + 1
        tabs = r"\t*" if indented else ""
        end = re.compile(rf"^{tabs}{re.escape(delimiter)}$", re.MULTILINE).search(self._line, start)
        self._resume = len(self._line) if end is None else end.end()
        return self._line[start : end.start() if end else len(self._line)]

    def _word(self) -> Word:
        texts: list[str] = []
        certain = True
        while token := _TOKEN.match(self._line, self._at):
            kind, said = token.lastgroup, token[0]
            if kind in ("blank", "newline", "redirect", "join", "group") and not _is_text(kind, said, texts):
                break
            self._at = token.end()
            if kind == "single":
                texts.append(said[1:].removesuffix("'"))
            elif kind == "double":
                inner = said[1:].removesuffix('"')
                certain = certain and not re.search(r"(?<!\\)[$`]", inner)
                texts.append(_IN_DOUBLE.sub(lambda match: match[1].strip("\n"), inner))
            elif kind == "escaped":
                texts.append(said[1])
            elif kind in ("open", "process"):
                certain = False
                texts.append(said + self._substituted(said))
            else:
                certain = certain and kind == "plain" and not _EXPANDED.search(said)
                texts.append(said)
        return Word("".join(texts), certain)

    def _substituted(self, opener: str) -> str:
        """What a substitution holds, up to its end, which is skipped."""
        start = self._at
        if opener == "`":
            end = self._line.find("`", start)
            self._at = len(self._line) if end < 0 else end + 1
            return self._line[start : self._at]
        depth = opener.count("(")
        while depth and (token := _TOKEN.match(self._line, self._at)):
            self._at = token.end()
            if token.lastgroup in ("group", "open", "process") and token[0] != "`":
                depth += token[0].count("(") - token[0].count(")")
        return self._line[start : self._at]


def _is_text(kind: str | None, said: str, texts: Sequence[str]) -> bool:
    """True where what looks like a redirection goes on a word: the digits of ``a2>b`` belong to the word."""
    return kind == "redirect" and bool(texts) and said[0].isdigit()


def _commands(parts: Iterator[Part]) -> list[Command]:
    found: list[Command] = []
    words: list[Word] = []
    redirects: list[Redirect] = []
    joined, depth, brackets = "", 0, 0
    group: tuple[int, ...] = ()
    for part in (*parts, ""):
        if isinstance(part, Word):
            words.append(part)
        elif isinstance(part, Redirect):
            redirects.append(part)
        else:
            depth, mine, optional = _without_keywords(words, depth)
            if mine or redirects:
                found.append(Command(tuple(mine), tuple(redirects), joined, "", optional, group))
                joined = ""
            if part == "(":
                brackets += 1
                group = (*group, brackets)
            elif part == ")":
                group = group[:-1]
            else:
                joined = part
                if found and not found[-1].after:
                    found[-1] = found[-1]._replace(after=part)  # also behind the bracket that ends a group
            words, redirects = [], []
    return found


def _without_keywords(words: Sequence[Word], depth: int) -> tuple[int, list[Word], bool]:
    """The command without assignments and words of the language before it.

    Returns:
        How deep in conditions and loops the next command stands, the words, and whether the command's own end tells
        nothing: it may not have run, or is negated.
    """
    mine = list(words)
    negated = False
    while mine and (mine[0].text in _KEYWORDS or _ASSIGNMENT.match(mine[0].text)):
        keyword = mine.pop(0).text
        depth += keyword in _OPENING
        depth -= keyword in _CLOSING and depth > 0
        negated = negated or keyword == "!"
        if keyword in _NAMING:
            return depth, [], True  # names and words, no command
    return depth, mine, negated or depth > 0
