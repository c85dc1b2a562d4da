"""What a run asked leave for: what was refused and what became of it, what was asked of a person, and what ran.

A request is told by what its command line does, however it is written. A refusal that the record has no command of is
told by the reason of its gate, where that begins with the line: ``git push is for a human to allow``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set as AbstractSet
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec

from agent_otel.model.limits import DENIALS_UNTOLD, UNORDERED
from agent_otel.model.record import Command, Gate, RunRecord
from agent_otel.review.fingerprints.programs import doings, program
from agent_otel.review.wording import shortened
from agent_otel.text.terminal import printable

MOST_REFUSALS: Final = 20
MOST_KINDS: Final = 50
MOST_RAN: Final = 500
"""Of a run so many refusals, kinds of requests and things that it did are looked at."""

MOST_REFS: Final = 6

Then = Literal["", "allowed", "otherwise"]

_RAN: Final = frozenset(("passed", "failed", "timed_out"))
_PERSONS: Final = frozenset(("user", "human", "person", "operator"))
_FIRST_WORD: Final = re.compile(r"[A-Za-z]*")
_QUOTED: Final = re.compile(r"""^(['"`])(?P<line>.+?)\1""")
_SAID_OF: Final = re.compile(
    r"(?:\s+(?:is|was|are|were|matches|needs|requires|may|must|can|cannot|has|does|did|not|denied|refused)\b|:\s|[.:]?$)"
)
"""What follows the line in a reason."""

_SIZE: Final = 8
_LONG: Final = 100


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was refused, once or several times.

    ``does`` has a digest of each thing that it was about. ``then`` is what became of it in the same run: ``allowed``
    where it ran after all, ``otherwise`` where other command lines did the same; ``refs`` are the entries of both.
    """

    text: str
    does: frozenset[bytes]
    then: Then = ""
    refs: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How often a person was asked for a kind of request, and how often that kind was refused, by whomever."""

    kind: str
    asked: int = 0
    refused: int = 0


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of a run; ``ran`` and ``approved`` are made by ``packed``."""

    refusals: tuple[Refusal, ...] = ()
    asked: tuple[Asked, ...] = ()
    ran: bytes = b""
    approved: bytes = b""


class _Decided(NamedTuple):
    """What a gate decided, on which command line: that of the command, or the one that a reason begins with."""

    ref: str
    gate: Gate
    command: Command | None
    line: str


class _Step(NamedTuple):
    """Something that was refused, or that happened."""

    ref: str
    text: str
    does: frozenset[bytes]
    happened: bool


def requests_of(record: RunRecord) -> Requests:
    """The requests of a run; where refusals are not told apart from what ran, nothing counts as having run."""
    limits = record.capture.limits
    commands = tuple(_of_commands(record.commands, told=DENIALS_UNTOLD not in limits))
    decided = tuple(_decided(record))
    found: dict[frozenset[bytes], Refusal] = {}
    for steps in (commands, tuple(_of_gates(decided))):
        for refusal in _refusals(steps, ordered=UNORDERED not in limits):
            found.setdefault(refusal.does, refusal)
    return Requests(
        refusals=tuple(found.values())[:MOST_REFUSALS],
        asked=tuple(_asked(decided))[:MOST_KINDS],
        ran=packed(step.does for step in commands if step.happened),
        approved=packed(_digests(each.line) for each in decided if _is_persons(each.gate) and each.command),
    )


def _decided(record: RunRecord) -> Iterator[_Decided]:
    by_span: dict[str | None, Command] = {each.span: each for each in record.commands if each.span}
    by_line = {each.command: each for each in reversed(record.commands)}
    questions: dict[str | None, str | None] = {
        gate.span: gate.reason for gate in record.gates if gate.outcome == "require_approval"
    }
    for place, gate in enumerate(record.gates):
        line = _line(questions.get(gate.span) or gate.reason or "")
        # A tool that runs commands has a span of its own: then the line tells which of them was let through.
        command = by_span.get(gate.span) or (by_line.get(line) if gate.outcome != "deny" else None)
        yield _Decided(f"gates[{place}]", gate, command, command.command if command else line)


def _line(reason: str) -> str:
    """The command line that a reason begins with; a reason without one gives a line that nobody runs."""
    quoted = _QUOTED.match(reason)
    return quoted["line"] if quoted else _SAID_OF.split(reason, maxsplit=1)[0]


def _of_commands(commands: Iterable[Command], *, told: bool) -> Iterator[_Step]:
    for command in commands:
        happened = told and command.result in _RAN
        if happened or command.result == "denied":
            yield _Step(command.id, command.command, _digests(command.command), happened)


def _of_gates(decided: Iterable[_Decided]) -> Iterator[_Step]:
    """What no command tells: refusals of commands that are not in the record, and what gates allowed later."""
    for each in decided:
        happened = each.command is not None and each.gate.outcome == "allow" and each.command.result in _RAN
        if happened or (each.command is None and each.gate.outcome == "deny"):
            ref = each.command.id if each.command is not None else each.ref
            yield _Step(ref, each.line, _digests(each.line), happened)


def _refusals(steps: Sequence[_Step], *, ordered: bool) -> Iterator[Refusal]:
    """Each refused request once, with what became of it after it was first refused."""
    first: dict[frozenset[bytes], int] = {}
    for place, step in enumerate(steps):
        if not step.happened and step.does:
            first.setdefault(step.does, place)
    for does, place in list(first.items())[:MOST_REFUSALS]:
        refused, later = steps[place], [step for step in steps[place + 1 :] if ordered and step.happened]
        then, refs = _became_of(refused, later)
        text = shortened(printable(refused.text), _LONG)
        yield Refusal(text=text, does=does, then=then, refs=(refused.ref, *refs)[:MOST_REFS])


def _became_of(refused: _Step, later: Sequence[_Step]) -> tuple[Then, tuple[str, ...]]:
    same = next((step.ref for step in later if step.text.split() == refused.text.split()), None)
    if same is not None:
        return "allowed", (same,)
    others = [step for step in later if not refused.does.isdisjoint(step.does)]
    if refused.does <= frozenset(digest for step in others for digest in step.does):
        return "otherwise", tuple(step.ref for step in others)
    return "", ()


def _asked(decided: Iterable[_Decided]) -> Iterator[Asked]:
    """By kind: the tool, and the program that it was to run."""
    required: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for each in decided:
        kind = _kind(each.gate.tool, each.line if each.command else "")
        required[kind] += each.gate.outcome == "require_approval"
        answered[kind] += _is_persons(each.gate)
        if each.gate.outcome == "deny":
            refused.update({each.gate.tool, _kind(each.gate.tool, each.line)})
    for kind in dict.fromkeys((*required, *refused)):
        # Who asks may record the question, the answer, or both.
        asked = max(required[kind], answered[kind])
        if asked or refused[kind]:
            yield Asked(kind=kind, asked=asked, refused=refused[kind])


def _kind(tool: str, line: str) -> str:
    return f"{tool} {program(line)}".rstrip()


def _is_persons(gate: Gate) -> bool:
    """True for the yes of a person; policies say so in their first word (``user_temporary``)."""
    word = _FIRST_WORD.match(gate.policy or "")
    return gate.outcome == "allow" and word is not None and word[0].casefold() in _PERSONS


@lru_cache(maxsize=16384)
def _digests(line: str) -> frozenset[bytes]:
    return frozenset(
        hashlib.blake2b(doing.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest() for doing in doings(line)
    )


def packed(steps: Iterable[AbstractSet[bytes]]) -> bytes:
    """Digests of what was done, each once, in little room: those of ten thousand runs are held at once."""
    known = dict.fromkeys(digest for does in steps for digest in sorted(does))
    return b"".join(list(known)[:MOST_RAN])


def among(ran: bytes, wanted: AbstractSet[bytes]) -> frozenset[bytes]:
    """Which of ``wanted`` are in what ``packed`` made."""
    digests = (ran[place : place + _SIZE] for place in range(0, len(ran), _SIZE))
    return frozenset(digest for digest in digests if digest in wanted)
