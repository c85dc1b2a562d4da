"""Which model calls go on with which, where nothing but the calls themselves is recorded.

A plain client's calls are traces of their own, without a session. But each call is given the whole conversation so far,
so that a call goes on with the one whose history, and whose answer, its own history begins with. Conversations that
begin alike stay apart as soon as they differ, and before that by when they were going on.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from agent_otel.compaction.reading.conversation import Talk
from agent_otel.compaction.reading.messages import Message
from agent_otel.compaction.reading.results import Result, ending, unwrap
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Span

_TELLING: Final = {
    names.OPERATION_NAME: frozenset([names.INVOKE_AGENT, names.INVOKE_WORKFLOW, names.EXECUTE_TOOL]),
    names.OI_KIND: frozenset(["AGENT", "CHAIN", "TOOL"]),
    names.TRACELOOP_KIND: frozenset(["workflow", "agent", "task", "tool"]),
    names.LMNR_TYPE: frozenset(["DEFAULT", "TOOL"]),
}
"""Marks of spans that tell of agents and tools themselves: in their traces nothing is concluded from histories."""


class Step(NamedTuple):
    """A model call of a thread; of its history the first ``known`` messages are those of the call before it."""

    span: Span
    history: Sequence[Message]
    answer: Sequence[Message]
    known: int = 0


class Thread:
    """Model calls that go on with each other; ``end`` is the digest of the last one's history."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.end = b""

    @property
    def key(self) -> str:
        """Names the thread, by its first call."""
        return f"trace-{self.steps[0].span.trace_id}"


def loose(calls: Sequence[Span], bounds: Iterable[Span], forest: Forest) -> list[Span]:
    """The calls in whose traces nobody tells of an agent or a tool."""
    inside = forest.nearest({span.ref for span in bounds})
    found = [call for call in calls if call.ref not in inside]
    told = {span.trace_id for span in forest.spans.values() if _tells(span)} if found else set()
    return [call for call in found if call.trace_id not in told]


def threads(calls: Iterable[Span], talk: Talk) -> list[Thread]:
    """The threads of some calls.

    Args:
        calls: the calls, in order of time.
        talk: what was said in them.
    """
    found: list[Thread] = []
    ends: dict[bytes, list[Thread]] = defaultdict(list)
    owners: dict[str, Thread] = {}
    for call in calls:
        step = Step(call, talk.into(call), talk.out_of(call))
        begins = list(_beginnings(step.history))
        thread, known = _before(step, begins, ends, owners, cut=talk.is_cut(call))
        if thread is None:
            thread = Thread()
            found.append(thread)
        elif thread.end:
            ends[thread.end].remove(thread)
        thread.steps.append(step._replace(known=known))
        thread.end = begins[-1] if begins else b""
        if begins:
            ends[thread.end].append(thread)
        owners |= dict.fromkeys(_asked([*step.history, *step.answer]), thread)
    return found


def failed(span: Span) -> bool:
    """True for a model call that gave no answer."""
    return ending(span, Result({}, "")).outcome in ("failed", "denied", "cancelled")


def _tells(span: Span) -> bool:
    given = span.attributes
    return (
        span.scope == names.SCOPE
        or names.MCP_METHOD in given
        or any(isinstance(said := given.get(name), str) and said in words for name, words in _TELLING.items())
    )


def _before(
    step: Step, begins: Sequence[bytes], ends: dict[bytes, list[Thread]], owners: dict[str, Thread], *, cut: bool
) -> tuple[Thread | None, int]:
    """The thread that a call goes on with, and how much of its history that knows."""
    for known in range(len(begins), 0, -1):
        for thread in ends.get(begins[known - 1], ()):
            if _follows(step, thread.steps[-1], known, cut=cut):
                return thread, known
    # Histories that are cut short or summarised on the way still name the calls of tools that were asked for.
    for call_id in reversed(_asked(step.history)):
        owner = owners.get(call_id)
        if owner is not None and _later(step.span, owner.steps[-1].span):
            return owner, 0
    return None, 0


def _follows(step: Step, last: Step, known: int, *, cut: bool) -> bool:
    if not _later(step.span, last.span):
        return False
    if known == len(step.history):
        return cut or failed(last.span)  # the same again is another conversation, unless the first try came to nothing
    said, repeated = (message.texts for message in (_last(last.answer), step.history[known]))
    return step.history[known].role == "user" or not said or not repeated or said == repeated


def _later(span: Span, before: Span) -> bool:
    return bool(before.end_ns) and before.end_ns <= span.start_ns


def _last(told: Sequence[Message]) -> Message:
    return told[-1] if told else Message("")


def _asked(told: Iterable[Message]) -> list[str]:
    return [asked.call_id for message in told for asked in message.requests if asked.call_id]


def _beginnings(history: Iterable[Message]) -> Iterator[bytes]:
    """A digest of each beginning of a history, the shortest first."""
    digest = b""
    for message in history:
        asked = [(request.call_id, request.name, str(request.arguments)) for request in message.requests]
        given = [(call_id, unwrap(result)) for call_id, result in message.results]
        said = repr((message.role, message.texts, asked, given))
        digest = hashlib.sha256(digest + said.encode("utf-8", "replace")).digest()
        yield digest
