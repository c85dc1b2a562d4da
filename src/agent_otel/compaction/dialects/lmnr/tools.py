"""Tool calls: a span per action, with the action and its observation as JSON.

The span has the name of the action's class; what the agent calls the tool is in the model's request. Failures are in
the observation alone: ``is_error``, ``exit_code``, ``timeout``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from agent_otel.compaction.dialects.lmnr.talk import Talk
from agent_otel.compaction.reading.calls import Call, call_facts
from agent_otel.compaction.reading.conversation import claimed
from agent_otel.compaction.reading.messages import ToolRequest
from agent_otel.compaction.reading.results import EXIT_KEYS, Ending, Result, ending, unwrap
from agent_otel.compaction.reading.values import is_cut, mapping, text, whole
from agent_otel.compaction.times import seconds
from agent_otel.model import fact, names
from agent_otel.model.item import Span

FINISH: Final = "FinishAction"
"""The action by which OpenHands ends, with its last words."""
RUNNING: Final = -1
"""The exit code of a command that has not ended when the agent goes on."""
STOPS: Final = ("C-c", "C-d", "C-z")
"""Keys by which a program is stopped: how it ended then is not how it would have ended."""
REFUSED: Final = "is NOT executed. The previous command is still running"
_ACTION: Final = re.compile(r"(?<=\w)Action$")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOVES: Final = re.compile(r"\b(?:cd|pushd|popd)\b")
_DONE: Final = re.compile(r"\A(?:Here's the result of running|The file \S+ has been edited|File created successfully)")
"""How observations of the editor begin that did what was asked for; what follows may be cut."""
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r(?=\n)")
"""What terminals are told between the words of a command's output."""


def tool_facts(
    tools: Sequence[Span], calls: Sequence[Span], talk: Talk, around: Callable[[Span], str]
) -> Iterator[tuple[fact.AnyFact, Span]]:
    """The facts of the spans of actions.

    Args:
        tools: the spans.
        calls: the model calls.
        talk: what was said.
        around: the ref of the action or conversation around a span; the executor of MCP tools has a span of its own in
            that of the action.
    """
    asked = {wanted.call_id: wanted for span in calls for said in talk.out_of(span) for wanted in said.requests}
    refs = {span.ref for span in tools}
    outer = [span for span in tools if around(span) not in refs]
    ends = dict(_ends(outer))
    for span in outer:
        action = _action(span)
        if FINISH in (span.name, action.get("kind")):
            if words := text(action.get("message")):
                yield claimed(span, words), span
            continue
        wanted = asked.get(text(span.attributes.get(names.LMNR_CALL_ID)))
        for seen in call_facts(_call(span, ends.get(span.ref, span), wanted)):
            yield seen, span


def _ends(tools: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Commands that went on while the agent did, and the calls that waited until they had ended."""
    running: dict[str, str] = {}
    for span in sorted(tools, key=lambda span: (span.start_ns, span.ref)):
        action, code = _action(span), whole(mapping(span.attributes.get(names.LMNR_OUTPUT)).get(EXIT_KEYS[0]))
        place = text(span.attributes.get(names.LMNR_SESSION)) or span.trace_id
        waits = action.get("is_input") is True or not text(action.get("command")).strip()
        if code is None:
            continue
        if waits and code != RUNNING and (started := running.pop(place, None)):
            if text(action.get("command")).strip() not in STOPS:
                yield started, span
        elif not waits and not _is_refused(span):
            running.pop(place, None)
            if code == RUNNING:
                running[place] = span.ref


def _is_refused(span: Span) -> bool:
    """True where a command was not run, since another was running."""
    return REFUSED in text(span.attributes.get(names.LMNR_OUTPUT))


def _call(span: Span, last: Span, asked: ToolRequest | None) -> Call:
    """The call; ``last`` is where the end of its command was seen."""
    action, answer = _action(span), last.attributes.get(names.LMNR_OUTPUT)
    result = _observed(answer)
    return Call(
        ref=span.ref,
        time_ns=span.start_ns,
        name=(asked.name if asked else "") or _tool_of(span.name),
        end=_end(span, answer, result),
        call_id=text(span.attributes.get(names.LMNR_CALL_ID)),
        arguments=_arguments(action, asked, mapping(answer)),
        answer=answer,
        result=result,
        duration_s=seconds(span.start_ns, last.end_ns),
    )


def _end(span: Span, answer: object, result: Result) -> Ending:
    """How an action ended, unknown where its observation is not there to say it: the span's status never does."""
    end = ending(span, result)
    untold = answer is None or (is_cut(answer) and not _DONE.search(result.text))
    outcome = "unknown" if untold and end.outcome == "ok" else end.outcome
    return end._replace(outcome=outcome, started=not _is_refused(span))


def _action(span: Span) -> Mapping[str, Any]:
    given = mapping(span.attributes.get(names.LMNR_INPUT))
    return mapping(given.get("action")) or given


def _arguments(action: Mapping[str, Any], asked: ToolRequest | None, observation: Mapping[str, Any]) -> Any:
    """The action, or what the model asked for where that is an envelope (tools of MCP servers)."""
    if not action or "data" in action:
        return (asked.arguments if asked else None) or action.get("data")
    if action.get("is_input") is True:  # keys pressed in a program that runs already
        return {key: value for key, value in action.items() if key != "command"}
    directory = text(mapping(observation.get("metadata")).get("working_dir"))
    if directory and not _MOVES.search(text(action.get("command"))):  # it is where the command left the shell
        return {**action, "cwd": directory}
    return action


def _observed(answer: object) -> Result:
    """The result as it is meant: -1 is no exit code, but that of nothing that has ended; why is in the suffix."""
    result = unwrap(answer)
    fields, said = dict(result.fields), result.text
    if whole(fields.get(EXIT_KEYS[0])) == RUNNING:
        said = f"{said}\n{text(mapping(fields.get('metadata')).get('suffix')).strip()}".strip()
        fields = {key: value for key, value in fields.items() if key not in (EXIT_KEYS[0], "metadata")}
    return result._replace(fields=fields, text=_CONTROL.sub("", said))


def _tool_of(name: str) -> str:
    """``file_editor`` of ``FileEditorAction``; other names are what they are."""
    stem = _ACTION.sub("", name)
    return _CAMEL.sub("_", stem).lower() if stem != name else name
