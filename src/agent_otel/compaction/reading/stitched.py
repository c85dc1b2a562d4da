"""Facts of plain clients' conversations: the turns of a run, and the tool calls that their histories tell of.

A tool call is known by what the model asked for, and by what it is given back in the next call; its time is only known
to lie between the two. What the last call asked for is never known to have happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet
from itertools import pairwise, takewhile
from typing import Any, Final

from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.conversation import Talk, conversation
from agent_otel.compaction.reading.messages import Message, ToolRequest
from agent_otel.compaction.reading.results import Ending, Result, ending, unwrap
from agent_otel.compaction.reading.threads import Step, Thread, failed, loose, threads
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.sessions import session_of
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Span
from agent_otel.text.truncation import truncate

SUBMITS: Final = ("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "MINI_SWE_AGENT_FINAL_OUTPUT")
"""What a command of mini-swe-agent says where it is the last one."""
GOES_ON: Final = ("tool_call", "tool_use", "function_call")
"""Why a model stopped that waits for the result of a tool."""
LONGEST_CLAIM: Final = 2000

_FENCED: Final = re.compile(r"```(?:bash|sh|shell|mswea_bash_command)[ \t]*\n(.*?)\n?```", re.DOTALL)
_RETURNED: Final = re.compile(r"\s*(?:<returncode>\s*(-?[0-9]{1,10})\s*</returncode>|\{\s*\"returncode\"\s*:)")
_OUTPUT: Final = re.compile(r"<output>\n?(.*?)\n?</output>", re.DOTALL)
_OVERDUE: Final = re.compile(r"\s*The last command\b.{0,2000}\btimed out and has been killed", re.DOTALL)


def spoken(
    bounds: Sequence[Span], calls: Sequence[Span], talk: Talk, forest: Forest
) -> Iterator[tuple[fact.AnyFact, Span]]:
    """What was said, and what is known from histories alone where nobody else tells of agents and tools.

    Args:
        bounds: the agent spans.
        calls: the model calls, in order of time.
        talk: what was said.
        forest: who is below whom.
    """
    found = threads(loose(calls, bounds, forest), talk)
    acting = _Acting(talk, {step.span.ref for thread in found if _acts(thread) for step in thread.steps})
    firsts = {step.span.ref: thread.steps[0].span.ref for thread in found for step in thread.steps}
    yield from conversation(bounds, calls, acting, forest, firsts)
    told: set[str] = set()
    for thread in sorted(found, key=_is_part):
        yield from _stitched(thread, acting, forest, told)


class _Acting:
    """What was said, where the commands in some answers are requests: agents without tools act in this way.

    Args:
        talk: what was said.
        refs: the calls whose answers are acted on.
    """

    def __init__(self, talk: Talk, refs: AbstractSet[str]) -> None:
        self._refs = refs
        self.into = talk.into
        self.final = talk.final
        self.is_cut = talk.is_cut
        self._out_of = talk.out_of

    def out_of(self, span: Span) -> list[Message]:
        """The answer, with its command as a request."""
        told = self._out_of(span)
        return [_as_request(message) for message in told] if span.ref in self._refs else told


def _is_part(thread: Thread) -> bool:
    """True for a thread that began before its first call: what its history tells may be another's to tell."""
    return any(message.requests or message.role == "assistant" for message in thread.steps[0].history)


def _stitched(thread: Thread, talk: Talk, forest: Forest, told: set[str]) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of a thread, each with the call that shows it; ``told`` is what was told of others, and grows."""
    before: Step | None = None
    part, own = _is_part(thread), set[str]()
    for step in thread.steps:
        again = before is not None and not step.known
        for request, answer in _done(step):
            about = {request.call_id, repr((request.arguments, answer))} - {""}
            if about.isdisjoint(told if part and before is None else own if again else ()):
                yield from _facts(request, answer, before or step, at_ns=_between(before, step))
            own |= about
        before = step
    told |= own
    last = thread.steps[-1].span
    answer = talk.out_of(last)
    waits = [request for message in answer for request in message.requests]
    for request in waits:
        yield from _facts(request, None, thread.steps[-1], at_ns=last.end_ns or last.start_ns)
    said = "\n".join(said for message in answer for said in message.texts).strip()
    over = _over(last, waits, said)
    if waits and over and said:
        words = truncate(said, LONGEST_CLAIM).text
        yield fact.Claimed(ref=last.ref, time_ns=last.end_ns, text=words), last
    if not over and last.end_ns:
        yield fact.LimitNoticed(ref=last.ref, time_ns=last.start_ns, limit=limits.TAIL_LOST), last
    turns = [step.span for step in thread.steps if step.span.ref in forest.spans and not step.span.parent_id]
    for span in turns:
        yield _turn(span, thread.key, ended=over or span is not turns[-1]), span


def _turn(span: Span, key: str, *, ended: bool) -> fact.AgentInvoked:
    return fact.AgentInvoked(
        ref=span.ref, time_ns=span.start_ns, session=session_of(span) or key, end_ns=span.end_ns if ended else 0
    )


def _over(last: Span, waits: Sequence[ToolRequest], said: str) -> bool:
    """Whether nothing is to come after a call: it failed, answered in words, or handed its work in."""
    if waits:
        return all(any(word in str(request.arguments) for word in SUBMITS) for request in waits)
    goes_on = any(why in str(last.attributes.get(names.FINISH_REASONS)) for why in GOES_ON)
    # Of a call under a span of somebody, that tells; of one by itself only what it said.
    return failed(last) or (bool(said or last.parent_id) and not goes_on)


def _between(before: Step | None, step: Step) -> int:
    return before.span.end_ns if before else step.span.start_ns


def _done(step: Step) -> Iterator[tuple[ToolRequest, Any]]:
    """The calls that a history has in addition to the one before it, with their results, None where there is none."""
    new = step.history[step.known :]
    by_id = {call_id: result for message in new for call_id, result in message.results if call_id}
    for at, message in enumerate(new):
        given = list(takewhile(lambda later: later.role != "assistant", new[at + 1 :]))
        unnamed = iter([result for later in given for result in _unnamed(later)])
        for request in message.requests:
            yield request, by_id[request.call_id] if request.call_id in by_id else next(unnamed, None)
        if given and (command := _command(message)) and (answer := _returned(given[0])) is not None:
            yield _asked(command), answer


def _unnamed(message: Message) -> list[Any]:
    """The results in a message that do not say of which call."""
    if message.role == "tool" and not message.results:
        return ["\n".join(message.texts)]
    return [result for call_id, result in message.results if not call_id]


def _acts(thread: Thread) -> bool:
    """Whether commands in answers were run: results came back."""
    return any(
        _command(message) and _returned(following) is not None
        for step in thread.steps
        for message, following in pairwise(step.history)
    )


def _command(message: Message) -> str:
    """The command in an answer of an agent that has no tools: the one block of code in it."""
    if message.role != "assistant" or message.requests:
        return ""
    blocks = [block for said in message.texts for block in _FENCED.findall(said)]
    return blocks[0].strip() if len(blocks) == 1 else ""


def _as_request(message: Message) -> Message:
    command = _command(message)
    if not command:
        return message
    return message._replace(
        texts=tuple(_FENCED.sub("", said).strip() for said in message.texts), requests=(_asked(command),)
    )


def _asked(command: str) -> ToolRequest:
    return ToolRequest("", "bash", {"command": command})


def _returned(message: Message) -> Mapping[str, Any] | str | None:
    """What a user's message gives back of a command, None where it is no such message."""
    said = "\n".join(message.texts) if message.role == "user" else ""
    if _OVERDUE.match(said):
        return {"output": said, "timed_out": True}
    match = _RETURNED.match(said)
    if match is None or match[1] is None:
        return said if match else None
    output = _OUTPUT.search(said)
    return {"returncode": int(match[1]), "output": output[1] if output else ""}


def _facts(request: ToolRequest, answer: Any, step: Step, *, at_ns: int) -> Iterator[tuple[fact.AnyFact, Span]]:
    result = unwrap(answer)
    call = Call(
        ref=step.span.ref,
        time_ns=at_ns,
        name=request.name,
        end=Ending("open") if answer is None else _ended(result),
        call_id=request.call_id,
        arguments=request.arguments,
        answer=answer,
        result=result,
    )
    for seen in call_facts(call):
        yield seen, step.span


def _ended(result: Result) -> Ending:
    """How a call ended of which there is only a result."""
    end = ending(Span(trace_id="", span_id="", end_ns=1), result)
    return end._replace(timed_out=" timed out after " in text(result.fields.get("exception_info")))
