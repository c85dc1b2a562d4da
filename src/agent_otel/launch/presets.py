"""How each known agent is told to send its telemetry, and to say more than its own default: one row an agent.

What an agent calls its switches was looked up where it is documented (``source``); what could not be confirmed is not
here. Nothing is written into files of the user: environment and arguments of the one process do it all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

import msgspec

from agent_otel.launch.merge import Merge, json_into

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

ENDPOINT: Final = "{endpoint}"
"""Stands for the base URL of the OTLP/HTTP receiver in what a row says."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, and what makes it tell.

    ``programs`` are names of its executable. ``environment`` and ``arguments`` (which come before those of the user, so
    that theirs win) switch its telemetry on; ``quiet`` says of content what an agent that tells it by default needs to
    be told; ``content`` and ``content_arguments`` are used in their place where content was asked for. What the user
    set stays, but for ``environment``, without which nothing would arrive. ``merged`` names variables that are to be
    merged with what the user has in them.
    """

    name: str
    programs: tuple[str, ...] = ()
    environment: Mapping[str, str] = NOTHING
    arguments: tuple[str, ...] = ()
    quiet: Mapping[str, str] = NOTHING
    content: Mapping[str, str] = NOTHING
    content_arguments: tuple[str, ...] = ()
    merged: Mapping[str, Merge] = MappingProxyType({})
    source: str = ""

    def argv(self, command: Sequence[str], endpoint: str, *, content: bool) -> list[str]:
        """The command with what this agent is told by arguments behind its program, if that is seen in it."""
        place = next((place for place, word in enumerate(command, start=1) if _program(word) in self.programs), 0)
        told = (*self.arguments, *(self.content_arguments if content else ())) if place else ()
        return [*command[:place], *(word.replace(ENDPOINT, endpoint) for word in told), *command[place:]]

    def hears(self, command: Sequence[str]) -> bool:
        """Whether what this agent needs to be told can be told with this command."""
        return not self.arguments or any(_program(word) in self.programs for word in command)

    def environ(self, environ: Mapping[str, str], endpoint: str, *, content: bool) -> dict[str, str]:
        """``environ`` with what this agent is told by variables."""
        needed = {name: value.replace(ENDPOINT, endpoint) for name, value in self.environment.items()}
        chosen = {**environ, **needed}
        for name, value in (self.content if content else self.quiet).items():
            merge = self.merged.get(name)
            chosen[name] = merge(environ.get(name, ""), value) if merge else environ.get(name) or value
        return chosen


def _codex(setting: str, signal: str) -> tuple[str, str]:
    """An exporter of Codex, as an override on its command line: TOML, which is what it parses values as."""
    exporter = f'{{otlp-http={{endpoint="{ENDPOINT}/v1/{signal}",protocol="binary"}}}}'
    return "-c", f"otel.{setting}={exporter}"


PLAIN: Final = Preset(
    name="", source="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"
)
"""An agent nobody knows: the variables that every OpenTelemetry SDK reads have to do (see ``environment``)."""

PRESETS: Final = (
    Preset(
        name="claude-code",
        programs=("claude", "claude-code"),
        environment={"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1"},
        content={
            "OTEL_LOG_USER_PROMPTS": "1",
            "OTEL_LOG_ASSISTANT_RESPONSES": "1",
            "OTEL_LOG_TOOL_DETAILS": "1",
            "OTEL_LOG_TOOL_CONTENT": "1",
        },
        source="https://code.claude.com/docs/en/monitoring-usage",
    ),
    Preset(
        name="codex",
        programs=("codex",),
        arguments=(
            *_codex("exporter", "logs"),
            *_codex("trace_exporter", "traces"),
            *_codex("metrics_exporter", "metrics"),
        ),
        content_arguments=("-c", "otel.log_user_prompt=true"),
        source="https://developers.openai.com/codex/config-reference (otel.*), config-advanced (one-off overrides)",
    ),
    Preset(
        name="gemini-cli",
        programs=("gemini", "gemini-cli"),
        environment={
            "GEMINI_TELEMETRY_ENABLED": "true",
            "GEMINI_TELEMETRY_TARGET": "local",
            "GEMINI_TELEMETRY_OTLP_ENDPOINT": ENDPOINT,
            "GEMINI_TELEMETRY_OTLP_PROTOCOL": "http",
            "GEMINI_TELEMETRY_OUTFILE": "",  # a file would be written in place of the endpoint
        },
        quiet={"GEMINI_TELEMETRY_LOG_PROMPTS": "false"},
        content={"GEMINI_TELEMETRY_LOG_PROMPTS": "true", "GEMINI_TELEMETRY_TRACES_ENABLED": "true"},
        source="https://geminicli.com/docs/cli/telemetry",
    ),
    Preset(
        name="qwen-code",
        programs=("qwen", "qwen-code"),
        environment={
            "QWEN_TELEMETRY_ENABLED": "true",
            "QWEN_TELEMETRY_TARGET": "local",
            "QWEN_TELEMETRY_OTLP_ENDPOINT": ENDPOINT,
            "QWEN_TELEMETRY_OTLP_PROTOCOL": "http",
            "QWEN_TELEMETRY_OUTFILE": "",
        },
        quiet={"QWEN_TELEMETRY_LOG_PROMPTS": "false"},
        content={"QWEN_TELEMETRY_LOG_PROMPTS": "true", "QWEN_TELEMETRY_INCLUDE_SENSITIVE_SPAN_ATTRIBUTES": "true"},
        source="https://github.com/QwenLM/qwen-code packages/core/src/telemetry/config.ts",
    ),
    Preset(
        name="copilot-cli",
        programs=("copilot",),
        environment={"COPILOT_OTEL_ENABLED": "true", "COPILOT_OTEL_EXPORTER_TYPE": "otlp-http"},
        content={"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"},
        source="https://docs.github.com/en/copilot/reference/enterprise-administrators/opentelemetry-reference",
    ),
    Preset(
        name="opencode",
        programs=("opencode",),
        # It sends as soon as there is an endpoint. What this adds are the spans of the AI SDK, prompts and all.
        content={"OPENCODE_CONFIG_CONTENT": json.dumps({"experimental": {"openTelemetry": True}})},
        merged={"OPENCODE_CONFIG_CONTENT": json_into},
        source="https://opencode.ai/docs/config; packages/opencode/src/effect/observability.ts",
    ),
    Preset(
        name="openhands",
        programs=("openhands",),
        environment={
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{ENDPOINT}/v1/traces",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        },
        source="https://docs.openhands.dev/sdk/guides/observability",
    ),
)
"""All of them; the name is the one that records have."""


RUNNERS: Final = frozenset({"bunx", "env", "nice", "nohup", "npx", "pnpx", "uvx"})
"""Programs that run the program which one of their arguments names."""


def preset_for(command: Sequence[str], agent: str = "") -> Preset:
    """The preset of an agent.

    Args:
        command: what is started, as the user wrote it.
        agent: the name the user gave, of a preset or of a program of one; it comes first.

    Returns:
        One of ``PRESETS``; or ``PLAIN`` under the name the user gave, or that of the program.
    """
    program = _program(command[0])
    words = command if program in RUNNERS else command[:1]
    for wanted in [agent] if agent else [_program(word) for word in words]:
        for preset in PRESETS:
            if wanted in {preset.name, *preset.programs}:
                return preset
    return msgspec.structs.replace(PLAIN, name=agent or program)


def _program(word: str) -> str:
    """The program that a word may name: a path, or a package with a version, such as ``@openai/codex@latest``."""
    name = PurePath(word).name
    return name[:1] + name[1:].partition("@")[0]
