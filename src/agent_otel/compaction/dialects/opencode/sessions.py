"""The sessions: their turns, what was said in them, who started them, and what cannot be seen of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.opencode.logged import CREATED, EXITING, LOOP, STREAM, note
from agent_otel.compaction.dialects.opencode.talk import Talk
from agent_otel.compaction.dialects.opencode.work import Work, session_of, start_of
from agent_otel.compaction.reading.conversation import conversation
from agent_otel.compaction.reading.moments import Moment, Sign, Turn, turns
from agent_otel.compaction.reading.values import loads, mapping, text, whole
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

SIGNS: Final[Mapping[str, Callable[[Mapping[str, Any]], Sign | None]]] = {
    LOOP: lambda fields: "prompt" if whole(fields.get("step")) == 0 else None,
    STREAM: lambda fields: None if text(fields.get("small")) == "true" else "call",
    EXITING: lambda _: "exit",
}
"""What log records tell of turns. It is for titles that small models are asked."""
TITLE: Final = "Generate a title for this conversation"
"""How opencode begins to ask a model for the name of a session, which is no part of the work."""
AGENT: Final = "opencode"

_Seen = Iterator[tuple[fact.AnyFact, Span | Log]]


def session_facts(work: Work, forest: Forest) -> _Seen:
    """The facts of each session in the group."""
    moments: dict[str, list[Moment]] = defaultdict(list)
    first_seen: dict[str, Span | Log] = {}
    for item, moment in sorted(_at_work(work), key=lambda seen: start_of(seen[0])):
        session = session_of(item)
        first_seen.setdefault(session, item)
        if moment is not None:
            moments[session].append(moment)
    parents = _parents(work, forest)
    for session, item in first_seen.items():
        yield from _session(session, item, moments[session], parents.get(session, ""), forest)


def _at_work(work: Work) -> Iterator[tuple[Span | Log, Moment | None]]:
    """The items that show a session at work, and what they tell of its turns."""
    with_tools = {session_of(call) for call in work.calls if names.AI_TOOL_CHOICE in call.attributes}
    for call in work.calls:
        # Titles and summaries are asked of models that are given no tools.
        aside = names.AI_TOOL_CHOICE not in call.attributes and (session_of(call) in with_tools or _is_title(call))
        yield call, None if aside else Moment(call.start_ns, "call", call, _answers(call))
    yield from ((span, None) for span in (*work.tools, *work.executed))
    for log in work.logs:
        said = note(log)
        if said.session and said.message in SIGNS:
            sign = SIGNS[said.message](said.fields)
            yield log, Moment(log.time_ns, sign) if sign else None


def _answers(call: Span) -> bool:
    reason = text(call.attributes.get(names.AI_FINISH_REASON))
    asked = loads(call.attributes.get(names.AI_RESPONSE_TOOL_CALLS))
    return bool(call.end_ns and reason not in ("", "tool-calls", "error") and not asked)


def _is_title(call: Span) -> bool:
    return any(said.startswith(TITLE) for message in Talk().into(call) for said in message.texts)


def _session(session: str, item: Span | Log, moments: Sequence[Moment], parent: str, forest: Forest) -> _Seen:
    start_ns, _ = start_of(item)
    found = turns(moments) or [Turn(start_ns)]
    found[0].start_ns = min(found[0].start_ns, start_ns)
    for turn in found:
        invoked = fact.AgentInvoked(
            ref=turn.calls[0].ref if turn.calls else item.ref,
            time_ns=turn.start_ns,
            name=AGENT,
            version=text(item.resource.get(names.SERVICE_VERSION)),
            session=session,
            parent_run=parent,
            end_ns=turn.end_ns,
            outcome=turn.outcome,
        )
        yield invoked, item
        yield from conversation((), turn.calls, Talk(), forest)
    said, ended = any(turn.calls for turn in found), bool(found[-1].end_ns)
    for limit, holds in (
        (limits.SHELL_EDITS_UNSEEN, True),
        (limits.COSTS_UNTOLD, True),
        (limits.TAIL_LOST, not ended),
        (limits.FINAL_MESSAGE_UNTOLD, not ended or not said),
        (limits.PROMPT_UNTOLD, not said),
        (limits.CONTENT_OFF, not said),
    ):
        if holds:
            yield fact.LimitNoticed(ref=item.ref, time_ns=start_ns, limit=limit), item


def _parents(work: Work, forest: Forest) -> dict[str, str]:
    """The sessions that sessions were started by: by the log, by results of tools, by their place in a trace."""
    found: dict[str, str] = {}
    for said in map(note, work.logs):
        if said.message == CREATED and (parent := text(said.fields.get("parentID"))):
            found.setdefault(said.session, parent)
    for tool in work.tools:
        about = mapping(mapping(tool.attributes.get(names.AI_TOOL_RESULT)).get("metadata"))
        if child := text(about.get("sessionId")):
            found.setdefault(child, session_of(tool))
    executed = {span.ref: span for span in work.executed}
    nearest = forest.nearest(executed)
    for span in (*work.calls, *work.executed):
        outer = executed.get(nearest.get(forest.parent(span.ref) or "", ""))
        if outer is not None and session_of(outer) != session_of(span):
            found.setdefault(session_of(span), session_of(outer))
    return found
