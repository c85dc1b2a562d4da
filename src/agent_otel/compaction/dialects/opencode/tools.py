"""Tool calls: each is told by a span of the AI SDK, which has the content, and by one of opencode's own.

The latter is all there is where the AI SDK's telemetry is off; the log then says which permission was asked for, and
with it what the call was about.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from agent_otel.compaction.dialects.opencode.logged import CREATED, EVALUATED, note
from agent_otel.compaction.dialects.opencode.talk import Talk
from agent_otel.compaction.dialects.opencode.work import Work, session_of
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.results import Ending, Result, ending, unwrap
from agent_otel.compaction.reading.values import count, first, mapping, text, whole
from agent_otel.compaction.times import seconds
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Span

SUBJECTS: Final[Mapping[str, str]] = {"bash": "command", "read": "path", "edit": "path"}
"""What the patterns of a permission are, by its name."""
INVALID: Final = "invalid"
"""The tool that opencode puts in the place of one whose arguments are invalid."""
STOPPED: Final = re.compile(r"^\w+ tool terminated command after exceeding timeout\b", re.MULTILINE)
WORST: Final = ("ok", "open", "cancelled", "failed", "denied")


def tool_facts(work: Work, forest: Forest) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of the tool calls."""
    by_call: dict[tuple[str, str], tuple[list[Span], list[Span]]] = defaultdict(lambda: ([], []))
    for side, spans in enumerate((work.tools, work.executed)):
        for span in spans:
            by_call[_key(span)][side].append(span)
    asked, permitted = _asked(work), _permitted(work, forest)
    created = [said for said in map(note, work.logs) if said.message == CREATED]
    directories = {said.session: text(said.fields.get("directory")) for said in created}
    for key, sides in by_call.items():
        for outer, inner in zip_longest(*sides):  # some models use an id again
            span = outer or inner
            arguments = first(span.attributes, names.AI_TOOL_ARGUMENTS)
            arguments = asked.get(key) if arguments is None else arguments
            if arguments is None and span.ref in permitted:
                arguments = permitted[span.ref]
                yield fact.LimitNoticed(ref=span.ref, time_ns=span.start_ns, limit=limits.EXIT_CODES_UNTOLD), span
            for seen in call_facts(_call(span, inner or span, arguments, directories.get(key[0], ""))):
                yield seen, span


def _asked(work: Work) -> dict[tuple[str, str], Any]:
    """The arguments the model asked for, by session and call id."""
    return {
        (session_of(call), request.call_id): request.arguments
        for call in work.calls
        for message in Talk().out_of(call)
        for request in message.requests
    }


def _permitted(work: Work, forest: Forest) -> dict[str, dict[str, str]]:
    """What was asked to be permitted during the calls, as arguments, by the refs of opencode's spans."""
    nearest = forest.nearest({span.ref for span in work.executed})
    found: dict[str, dict[str, str]] = {}
    for log in work.logs:
        said, within = note(log), nearest.get(log.ref)
        subject, pattern = SUBJECTS.get(text(said.fields.get("permission"))), text(said.fields.get("pattern"))
        if said.message == EVALUATED and within and subject and pattern:
            arguments = found.setdefault(within, {})
            # A line is split into its commands, and each is asked for.
            arguments[subject] = f"{arguments[subject]}; {pattern}" if subject in arguments else pattern
    return found


def _key(span: Span) -> tuple[str, str]:
    call_id = text(first(span.attributes, names.AI_TOOL_ID, names.OPENCODE_CALL_ID))
    return text(span.attributes.get(names.SESSION_ID)), call_id or span.ref


def _call(span: Span, inner: Span, arguments: Any, directory: str) -> Call:
    answer = span.attributes.get(names.AI_TOOL_RESULT)
    result = unwrap(answer)
    end = max((ending(each, result) for each in (span, inner)), key=lambda end: WORST.index(end.outcome))
    name = text(first(span.attributes, names.AI_TOOL_NAME, names.OI_TOOL_NAME))
    if name == INVALID and (wrong := mapping(arguments)):
        name, arguments, result = text(wrong.get("tool")) or name, {}, Result({}, "")
        end = Ending("failed", "invalid_arguments", text(wrong.get("error")))
    about = mapping(result.fields.get("metadata"))
    if STOPPED.search(result.text):
        end = end._replace(timed_out=True)
    return Call(
        ref=span.ref,
        time_ns=span.start_ns,
        name=name,
        end=end,
        call_id=text(first(span.attributes, names.AI_TOOL_ID, names.OPENCODE_CALL_ID)),
        arguments=arguments,
        answer=answer,
        result=result,
        output=result.text if "exit" in about else None,
        directory=directory,
        exit_code=whole(about.get("exit")),
        duration_s=seconds(span.start_ns, span.end_ns),
        diffstat=_diffstat(mapping(about.get("filediff"))),
    )


def _diffstat(diff: Mapping[str, Any]) -> tuple[int, int] | None:
    added, removed = count(diff.get("additions")), count(diff.get("deletions"))
    return None if added is None or removed is None else (added, removed)
