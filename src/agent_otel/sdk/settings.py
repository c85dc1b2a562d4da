"""The settings of the instrumented program's side, each written once (style.md §8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_otel.errors import SettingsError

CONTENT_MODES = ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT")
OLD_MODES = {"true": "SPAN_AND_EVENT", "false": "NO_CONTENT"}
"""What earlier instrumentations call two of them, and some agents still do whose commands inherit the variable."""

EVENT_TARGETS = ("auto", "span", "log", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkSettings:
    """What is recorded, and how much of it.

    Raises:
        SettingsError: a value outside of what its help text allows.
    """

    content: str = field(
        default="NO_CONTENT",
        metadata={
            # The variable of the official GenAI instrumentations, so that one switch serves all.
            "env": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
            "help": f"record arguments and results of tool calls: {', '.join(CONTENT_MODES)}",
        },
    )
    events: str = field(
        default="auto",
        metadata={
            "env": "AGENT_OTEL_EVENTS",
            "help": "where events go: span, log, both, or auto (the span, and the log pipeline when there is one)",
        },
    )
    value_limit: int = field(
        default=8192,
        metadata={"env": "AGENT_OTEL_VALUE_LIMIT", "help": "bytes of one text value; more is cut in the middle"},
    )
    output_tail: int = field(
        default=4096,
        metadata={"env": "AGENT_OTEL_OUTPUT_TAIL", "help": "bytes kept of the end of a command's output"},
    )
    redaction_key: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_REDACTION_KEY",
            "help": "key of the short hash in redaction markers; set it to correlate secrets across processes",
        },
    )
    heartbeat_s: float = field(
        default=30.0,
        metadata={"env": "AGENT_OTEL_HEARTBEAT", "help": "seconds between signs of life of a run; 0 for none"},
    )
    git: bool = field(
        default=True,
        metadata={"env": "AGENT_OTEL_GIT", "help": "record base commit, tree and changed files by asking git"},
    )
    metrics: bool = field(
        default=True,
        metadata={"env": "AGENT_OTEL_METRICS", "help": "record metrics where a meter provider is set"},
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", OLD_MODES.get(self.content.lower(), self.content))
        _one_of("content", self.content, CONTENT_MODES)
        _one_of("events", self.events, EVENT_TARGETS)
        for name in ("value_limit", "output_tail"):
            if getattr(self, name) < 64:  # noqa: PLR2004 - room for a marker and a digest
                message = f"{name} must be at least 64 bytes, got {getattr(self, name)}"
                raise SettingsError(message)
        if self.heartbeat_s < 0:
            message = f"heartbeat_s must not be negative, got {self.heartbeat_s}"
            raise SettingsError(message)

    @property
    def content_on_spans(self) -> bool:
        """Whether arguments and results go onto spans."""
        return self.content in {"SPAN_ONLY", "SPAN_AND_EVENT"}

    @property
    def content_in_events(self) -> bool:
        """Whether arguments and results go out as events."""
        return self.content in {"EVENT_ONLY", "SPAN_AND_EVENT"}


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}, got {value!r}"
        raise SettingsError(message)
