"""The page of a post-mortem, filled as far as records know.

The front matter is TOML between two lines of ``+++``. What only a human can write is marked ``TODO``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, get_args

import msgspec

from agent_otel.model.record import RunRecord
from agent_otel.review.incidents.case import accepted, counting
from agent_otel.review.incidents.shape import Trigger
from agent_otel.review.postmortems.happened import happened
from agent_otel.review.postmortems.layers import LAYERS, shown
from agent_otel.review.postmortems.said import MOST, codes, quoted, said
from agent_otel.review.standing import standings
from agent_otel.review.wording import shortened
from agent_otel.text.terminal import printable

SECTIONS: Final = (
    "What happened",
    "What the agent was working from",
    "Where the layers failed",
    "What changes",
    "What we are not doing",
)
"""The headings, in their order."""

TODO: Final = "TODO"
"""Marks what is still to be written."""

FENCE: Final = "+++"
WEEK: Final = timedelta(days=7)
TRIGGERS: Final[tuple[Trigger, ...]] = get_args(Trigger)

_LIVE: Final = re.compile(r"[^ -~]|[<>&@#%`*~|!$\[\]]|:(?=/)|(?<=www)\.|(?<=gh)-(?=\d)", re.IGNORECASE)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?=T)")


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is about, beside its records."""

    trigger: str
    written: date
    owner: str = ""


def page(records: Sequence[RunRecord], frame: Frame) -> str:
    """The page about these runs, the earliest first, ending in a line feed; the same runs give the same page."""
    runs = sorted(records, key=lambda record: (record.started or "", record.run_id))
    about = _about(runs, frame)
    sections = zip(
        SECTIONS,
        (happened(runs, about, title(runs)), _from(about), _layers(about), _changes(frame), _rejected()),
        strict=True,
    )
    lines = [*_front(runs, frame), "", f"# {said(title(runs))}"]
    for heading, body in sections:
        lines += ["", f"## {heading}", "", *body]
    return "\n".join(lines) + "\n"


def _about(runs: Sequence[RunRecord], frame: Frame) -> RunRecord:
    """The run that the page tells of: the one that was caught, where that is why it is written, else what failed."""
    marked = [run for run in runs if run.near_misses and frame.trigger == "near-miss"]
    failed = [run for run in runs if not accepted(run)]
    return (*marked, *failed, *runs)[0]


def title(records: Iterable[RunRecord]) -> str:
    """What the page is called: what was asked for."""
    objectives = (record.task.objective for record in records if record.task.objective)
    return shortened(printable(next(objectives, "a run without an objective")), 80)


def failed_on(records: Iterable[RunRecord], *, trigger: str) -> str:
    """The day of the failure: that of the first run's end; of a near-miss, when it was caught; else empty.

    It names files: what is no day is not known.
    """
    runs = list(records)
    caught = [miss.at for run in runs for miss in run.near_misses] if trigger == "near-miss" else []
    return _first_day(caught) or _first_day(run.ended or run.started for run in runs)


def _first_day(times: Iterable[str | None]) -> str:
    days = (_DAY.match(time or "") for time in times)
    return min((day[0] for day in days if day), default="")


def _front(runs: Sequence[RunRecord], frame: Frame) -> Iterator[str]:
    fingerprints = dict.fromkeys(name for run in runs for name in counting(run))
    fields = {
        "trigger": frame.trigger,
        "runs": [run.run_id for run in runs],
        "fingerprints": list(fingerprints)[:MOST],
        "failed": failed_on(runs, trigger=frame.trigger) or frame.written.isoformat(),
        "written": frame.written.isoformat(),
        "owner": frame.owner or TODO,
    }
    yield FENCE
    yield from (f"{name} = {_toml(value)}" for name, value in fields.items())
    yield "\n[[changes]]"
    due = (frame.written + WEEK).isoformat()
    change = {"file": TODO, "what": TODO, "owner": frame.owner or TODO, "due": due, "state": "open"}
    yield from (f"{name} = {_toml(value)}" for name, value in change.items())
    yield FENCE


def _toml(value: str | Sequence[str]) -> str:
    """A text or a list of texts as TOML, which reads JSON's escapes, but halves of characters.

    Forges render these lines as Markdown: what would be markup there, a mention or an address is escaped as well.
    """
    if not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    return _LIVE.sub(lambda match: _escape(ord(match[0])), json.dumps(value, ensure_ascii=False))


def _escape(code_point: int) -> str:
    if 0xD800 <= code_point <= 0xDFFF:  # noqa: PLR2004 - a half of a character, which TOML cannot say
        return "\\ufffd"
    return f"\\u{code_point:04x}" if code_point <= 0xFFFF else f"\\U{code_point:08x}"  # noqa: PLR2004 - four hex digits


def _from(about: RunRecord) -> Iterator[str]:
    task, contract = about.task, standings(about)
    read = [file.path for file in about.files_inspected]
    unread = [file.path for file in about.changed_files if file.read_before is False]
    yield f"- Task: {quoted(task.objective or 'none recorded')}"
    yield f"- Scope: {codes(task.scope)}; off limits: {codes((*task.exclusions, *task.off_limits))}"
    yield f"- Required checks: {codes(check.check for check in contract if check.required)}"
    context = [source.name for source in about.context_sources]
    unopened = [name for name in context if read and name not in read]
    yield f"- Context: {codes(context)}" + (f"; no read of it recorded: {codes(unopened)}" if unopened else "")
    yield f"- Files read: {codes(read)}"
    yield f"- Changed without a read before: {codes(unread)}"


def _layers(about: RunRecord) -> Iterator[str]:
    yield "| layer | the record shows | in scope? why was it not caught? |"
    yield "|---|---|---|"
    for name, found in ((name, shown(name, about)) for name in LAYERS):
        yield f"| {name} | {said(found.text)} | {f'{TODO}: {found.question}' if found.question else ''} |"


def _changes(frame: Frame) -> Iterator[str]:
    yield f"{TODO}: one edit, or two, to the setup; each with its file, owner and day in the front matter, by"
    yield f"{(frame.written + WEEK).isoformat()}."


def _rejected() -> Iterator[str]:
    yield f"- {TODO}: an idea, and why not."
