"""The dialect: GitHub Copilot CLI 1.0.102 (2026-11), which follows the GenAI conventions.

Its own: the agent has no name, and its version is the service's; what a tool was given is in attributes, too; an exit
code is told even where the command is not. That a turn failed is told by the agent, with the reason, and by the call to
the model, without. Spans of permissions and of its inside make no facts. Never seen: costs in money
(``github.copilot.cost`` counts premium requests).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.dialects.genai.dialect import GenAI, operation
from agent_otel.compaction.reading.values import loads, text, whole
from agent_otel.compaction.tree import Forest
from agent_otel.model import fact, limits, names
from agent_otel.model.item import Log, Span

AGENT: Final = "copilot-cli"
PARAMETERS: Final = {names.COPILOT_COMMAND: "command", names.COPILOT_FILE: "path"}
"""Attributes with what a tool was given, and what these arguments are called."""
NOTHING_SAID: Final = "Model call failed"
"""The status of a call to a model whatever the reason."""
SHELLS: Final = frozenset(["bash", "powershell"])

_GENAI: Final = GenAI()


class Copilot:
    """Reads GitHub Copilot CLI."""

    name = "copilot-cli"
    about = "GitHub Copilot CLI: traces; more with OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    scopes = (names.COPILOT_SCOPE,)

    def claims(self, item: Span | Log) -> bool:
        """Everything of its scope."""
        return item.scope == names.COPILOT_SCOPE

    def place(self, item: Span | Log) -> Place | None:
        """None: agent spans say where they belong."""
        return _GENAI.place(item)

    def backdrop(self, item: Span | Log) -> bool:
        """What is no operation of the conventions."""
        return not _GENAI.claims(item)

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:
        """The facts of the conventions, and what is known besides."""
        originals: dict[int, Span | Log] = {}
        read: list[Span | Log] = []
        for item in items:
            read.append(_with_arguments(item))
            originals[id(read[-1])] = item
        reasons = _reasons(items, forest)
        for seen in _GENAI.read(read, forest):
            yield Sighting(_told(seen, reasons), originals[id(seen.item)], self.name)
        for item in items:
            if isinstance(item, Span):
                yield from (Sighting(seen, item, self.name) for seen in _besides(item))


def _with_arguments(item: Span | Log) -> Span | Log:
    """The item with the arguments of a tool where only the single attributes have them."""
    given = {name: said for key, name in PARAMETERS.items() if (said := text(loads(item.attributes.get(key))))}
    if isinstance(item, Log) or not given or item.attributes.get(names.TOOL_CALL_ARGUMENTS) is not None:
        return item
    return msgspec.structs.replace(item, attributes={**item.attributes, names.TOOL_CALL_ARGUMENTS: given})


def _reasons(items: Sequence[Span | Log], forest: Forest) -> dict[str, str]:
    """Why agents failed, by the refs of the calls in them."""
    failed = {
        item.ref: item.status_message
        for item in items
        if isinstance(item, Span) and operation(item) == names.INVOKE_AGENT and item.status_message
    }
    return {ref: failed[agent] for ref, agent in forest.nearest(failed).items()}


def _told(seen: Sighting, reasons: Mapping[str, str]) -> fact.AnyFact:
    told = seen.fact
    if isinstance(told, fact.AgentInvoked):
        version = told.version or text(seen.item.resource.get(names.SERVICE_VERSION)) or seen.item.scope_version
        return msgspec.structs.replace(told, name=told.name or AGENT, version=version)
    if isinstance(told, fact.ModelCalled) and told.error == NOTHING_SAID:
        return msgspec.structs.replace(told, error=reasons.get(told.ref, told.error))
    return told


def _besides(span: Span) -> Iterator[fact.AnyFact]:
    """What a span tells that the conventions have no word for, and what it leaves out."""
    about: dict[str, Any] = {"ref": span.ref, "time_ns": span.start_ns}
    what, has = operation(span), span.attributes.__contains__
    if what in (names.INVOKE_AGENT, names.CHAT):  # the agent's span comes last, or never
        yield fact.LimitNoticed(**about, limit=limits.SHELL_EDITS_UNSEEN)
        yield fact.LimitNoticed(**about, limit=limits.COSTS_UNTOLD)
    if what == names.INVOKE_AGENT:
        if not has(names.INPUT_MESSAGES):
            yield fact.LimitNoticed(**about, limit=limits.PROMPT_UNTOLD)
        if not has(names.OUTPUT_MESSAGES):
            yield fact.LimitNoticed(**about, limit=limits.FINAL_MESSAGE_UNTOLD)
    if what == names.EXECUTE_TOOL and not any(map(has, (names.TOOL_CALL_ARGUMENTS, *PARAMETERS))):
        name = text(span.attributes.get(names.TOOL_NAME))
        yield fact.LimitNoticed(**about, limit=limits.COMMANDS_UNTOLD if name in SHELLS else limits.PATHS_UNTOLD)
        if code := whole(span.attributes.get(names.PROCESS_EXIT_CODE)):
            yield fact.FailureSeen(**about, tool=name, error=f"exit code {code}", stated=False)
