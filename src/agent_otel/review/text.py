"""Readable renderings of records, for terminals and Markdown.

Whatever comes from telemetry passes ``text.terminal.printable`` or ``text.markdown`` here, and nowhere else: a command
that printed an escape sequence is shown with its escapes spelled out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from agent_otel.model.record import RunRecord
from agent_otel.review.outline.build import outline
from agent_otel.review.outline.shape import Code, Line, Own, Tone
from agent_otel.review.standing import standings
from agent_otel.review.wording import count, duration, shortened
from agent_otel.text.markdown import code, inline
from agent_otel.text.terminal import printable, uncommanding

NARROWEST: Final = 40
_OBJECTIVE: Final = 48
_COLOURS: Final[dict[Tone, str]] = {"plain": "", "good": "32", "bad": "31", "warn": "33", "dim": "2"}


class SummaryRow(NamedTuple):
    """A run in a table: made printable, on one line."""

    run: str
    state: str
    agent: str
    started: str
    took: str
    checks: str
    findings: str
    objective: str


def summary_rows(records: Iterable[RunRecord]) -> list[SummaryRow]:
    """One row per run, in the given order."""
    return [
        SummaryRow(
            run=printable(record.run_id),
            state=record.review_state or "not judged",
            agent=printable(record.agent.name or ""),
            started=printable((record.started or "")[:16].replace("T", " ")),
            took="" if record.duration_s is None else duration(record.duration_s),
            checks=_tally(check.verdict.replace("_", " ") for check in standings(record)),
            findings=", ".join(
                count(number, word)
                for word in ("error", "warning")
                if (number := sum(1 for finding in record.findings if finding.severity == word))
            ),
            objective=shortened(printable(record.task.objective or ""), _OBJECTIVE),
        )
        for record in records
    ]


def as_text(record: RunRecord, *, colour: bool = False, width: int = 100) -> str:
    """The record for a terminal, ending in a line feed.

    Args:
        record: a judged record.
        colour: whether to use ANSI colours; nothing else in the result is a control sequence.
        width: where to wrap; long paths and commands are not broken.
    """
    told = outline(record)
    painter = _Painter(colour=colour, width=max(width, NARROWEST))
    lines = [f"{painter.paint(told.state.upper(), told.tone, bold=True)}  {painter.paint(_plain(told.run), bold=True)}"]
    lines += painter.lines(told.about, indent=0)
    for section in told.sections:
        lines += ["", painter.paint(section.title, bold=True)]
        for part in section.parts:
            lines += [f"  {part.label}"] if part.label else []
            lines += painter.lines(part.lines, indent=4)
    return uncommanding("\n".join(lines) + "\n")


def as_markdown(record: RunRecord) -> str:
    """The record as Markdown, for a pull request or an issue, ending in a line feed."""
    told = outline(record)
    lines = [f"# {told.state}: {code(told.run)}", "", *(f"- {_marked(about)}" for about in told.about)]
    for section in told.sections:
        lines += ["", f"## {section.title}"]
        for part in section.parts:
            lines += ["", f"**{part.label}**"] if part.label else []
            lines += [""] if part.lines else []
            lines += _bullets(part.lines)
    return "\n".join(lines) + "\n"


class _Painter(NamedTuple):
    colour: bool
    width: int

    def paint(self, text: str, tone: Tone = "plain", *, bold: bool = False) -> str:
        codes = ";".join(filter(None, ("1" if bold else "", _COLOURS[tone])))
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colour and codes else text

    def lines(self, lines: Iterable[Line], *, indent: int) -> Iterator[str]:
        for each in lines:
            text = "".join(map(_plain, each.pieces))
            for number, row in enumerate(self._wrapped(text, indent)):
                yield " " * (indent + 2 * bool(number)) + self.paint(row, each.tone)
            yield from self.lines(each.below, indent=indent + 4)

    def _wrapped(self, text: str, indent: int) -> list[str]:
        room = self.width - indent - 2
        return textwrap.wrap(
            text, room, break_long_words=False, break_on_hyphens=False, replace_whitespace=False, drop_whitespace=True
        )


def _plain(piece: str) -> str:
    return printable(piece)


def _marked(each: Line) -> str:
    return "".join(map(_markdown_piece, each.pieces))


def _markdown_piece(piece: str) -> str:
    if isinstance(piece, Own):
        return str(piece)
    return code(piece) if isinstance(piece, Code) else inline(piece)


def _bullets(lines: Iterable[Line], *, indent: str = "") -> Iterator[str]:
    for each in lines:
        yield f"{indent}- {_marked(each)}"
        yield from _bullets(each.below, indent=indent + "  ")


def _tally(words: Iterable[str]) -> str:
    """``2 proved, 1 not run``, in the order the words first come."""
    numbers: dict[str, int] = {}
    for word in words:
        numbers[word] = numbers.get(word, 0) + 1
    return ", ".join(f"{number} {word}" for word, number in numbers.items())
