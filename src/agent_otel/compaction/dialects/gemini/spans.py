"""The spans of Gemini CLI: everything a call was given and gave is JSON in the attributes for messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from agent_otel.compaction.dialects.gemini.tools import STATUSES, Told, ended, together
from agent_otel.compaction.order import canonical
from agent_otel.compaction.reading.messages import parse
from agent_otel.compaction.reading.results import Ending
from agent_otel.compaction.reading.values import STATUS_ERROR, loads, mapping, text, whole
from agent_otel.compaction.times import seconds
from agent_otel.compaction.tree import Forest
from agent_otel.model import names
from agent_otel.model.item import Span

LLM_CALL: Final = "llm_call"
TOOL_CALL: Final = "tool_call"


def operation(span: Span) -> str:
    """What a span does, in Gemini CLI's own words."""
    return text(span.attributes.get(names.OPERATION_NAME))


def prompt_of(span: Span) -> str:
    """The prompt id of a span: stated for models, in the request of tools."""
    if operation(span) == TOOL_CALL:
        return text(mapping(span.attributes.get(names.INPUT_MESSAGES)).get(names.FORK_PROMPT_ID))
    return text(span.attributes.get(names.GEMINI_PROMPT_ID))


def tool_of(span: Span) -> Told:
    """A span of a tool call; its status is OK also where the call failed."""
    response = mapping(mapping(span.attributes.get(names.OUTPUT_MESSAGES)).get("response"))
    return Told(
        item=span,
        ref=span.ref,
        time_ns=span.start_ns,
        name=text(span.attributes.get(names.TOOL_NAME)),
        end=_ending(span),
        call_id=text(span.attributes.get(names.GEMINI_TOOL_CALL_ID)),
        arguments=mapping(span.attributes.get(names.INPUT_MESSAGES)).get("args"),
        said=_said(response.get("responseParts")),
        exit_code=whole(mapping(response.get("data")).get("exitCode")),
        duration_s=seconds(span.start_ns, span.end_ns),
    )


def _ending(span: Span) -> Ending:
    told = mapping(span.attributes.get(names.OUTPUT_MESSAGES))
    response = mapping(told.get("response"))
    status = text(told.get("status"))
    if span.status == STATUS_ERROR or status in STATUSES:
        error = response.get("error")
        said = text(error) or text(mapping(error).get("message")) or span.status_message
        return ended(STATUSES.get(status, "failed"), text(response.get("errorType")), said)
    return Ending("open" if not span.end_ns else "ok" if status == "success" else "unknown")


def _said(parts: object) -> str | None:
    """What the model was told of a call: ``{"functionResponse": {"response": {"output" or "error": …}}}``."""
    given = [result for message in parse(parts, "tool") for _, result in message.results]
    told = [text(back.get("output")) or text(back.get("error")) for back in map(mapping, given)]
    return next(filter(None, told), None)


def joined(spans: Iterable[Span], logs: Iterable[Told], forest: Forest) -> Iterator[Told]:
    """Each call once: a log record has no id of its call, but was written in its span, or the one around."""
    left: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for span in spans:
        told = tool_of(span)
        left[forest.parent(span.ref) or span.ref, told.name].append(told)
    around = {told.ref: at for at, calls in left.items() for told in calls}
    for log in sorted(logs, key=lambda told: (told.item.time_ns, told.item.key)):  # type: ignore[union-attr]  # logs only
        at = around.get(log.ref, (log.ref, log.name))
        found = next((told for told in left.get(at, ()) if _same(told, log)), None)
        if found is not None:
            left[at].remove(found)
        yield log if found is None else together(found, log)
    for calls in left.values():
        yield from calls


def _same(told: Told, log: Told) -> bool:
    known = (told.arguments, loads(log.arguments))
    return None in known or canonical(known[0]) == canonical(known[1])
