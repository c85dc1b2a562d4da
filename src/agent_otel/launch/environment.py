"""The environment an agent is started in: where its telemetry goes, and what all of it says about the run.

The variables are those of the OpenTelemetry specification
(opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables and …/protocol/exporter), and the interval of
spans that Claude Code has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

import msgspec
from opentelemetry.sdk import environment_variables as env

from agent_otel.launch.presets import Preset
from agent_otel.model import names

EXPORTING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        env.OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    }
)

SOON: Final[Mapping[str, str]] = MappingProxyType(
    {
        env.OTEL_BSP_SCHEDULE_DELAY: "500",
        env.OTEL_BLRP_SCHEDULE_DELAY: "500",
        "OTEL_LOGS_EXPORT_INTERVAL": "500",
        "OTEL_TRACES_EXPORT_INTERVAL": "500",
    }
)
"""Milliseconds between two exports, where the user has not set them: what a killed agent still holds is lost."""

METRICS_SOON: Final[Mapping[str, str]] = MappingProxyType(
    {env.OTEL_METRIC_EXPORT_INTERVAL: "2000", env.OTEL_METRIC_EXPORT_TIMEOUT: "2000"}
)
"""The same for metrics, where the user set neither: the SDK of JavaScript throws on a time-out above the interval."""

_SIGNALS: Final = ("TRACES", "LOGS", "METRICS")
_WHERE: Final = ("ENDPOINT", "PROTOCOL", "INSECURE", "COMPRESSION")
_HOW_TO_ENTER: Final = ("HEADERS", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")

DIVERTING: Final = frozenset(
    {env.OTEL_SDK_DISABLED, *(f"OTEL_EXPORTER_OTLP_{signal}_{what}" for signal in _SIGNALS for what in _WHERE)}
)
"""What would send a signal somewhere else, or nowhere."""

ENTERING: Final = frozenset(
    {f"OTEL_EXPORTER_OTLP_{what}" for what in _HOW_TO_ENTER}
    | {f"OTEL_EXPORTER_OTLP_{signal}_{what}" for signal in _SIGNALS for what in _HOW_TO_ENTER}
)
"""Tokens and certificates for somebody else, which a receiver of ours has no business to see."""


class Instruments(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent's telemetry is told.

    ``endpoint`` is a base URL of OTLP/HTTP, ``ours`` whether this program listens there. ``trace`` are the variables
    that continue the run's trace, ``attributes`` what every resource should say.
    """

    endpoint: str
    ours: bool
    content: bool = False
    trace: Mapping[str, str] = MappingProxyType({})
    attributes: Mapping[str, str] = MappingProxyType({})


def environment_for(preset: Preset, environ: Mapping[str, str], told: Instruments) -> dict[str, str]:
    """The whole environment of the agent.

    Args:
        preset: what kind of agent it is.
        environ: the user's environment, which is kept but for where telemetry goes.
        told: what is added.
    """
    gone = DIVERTING | ENTERING if told.ours else DIVERTING
    kept = {name: value for name, value in environ.items() if name not in gone}
    stated = {
        **SOON,
        **(METRICS_SOON if METRICS_SOON.keys().isdisjoint(kept) else {}),
        **kept,
        **EXPORTING,
        **told.trace,
        env.OTEL_EXPORTER_OTLP_ENDPOINT: told.endpoint,
        env.OTEL_RESOURCE_ATTRIBUTES: merged(environ.get(env.OTEL_RESOURCE_ATTRIBUTES, ""), told.attributes),
    }
    return preset.environ(stated, told.endpoint, content=told.content)


def diverted(environ: Mapping[str, str]) -> bool:
    """Whether the user's own telemetry would go elsewhere."""
    return any(environ.get(name) for name in (env.OTEL_EXPORTER_OTLP_ENDPOINT, *DIVERTING))


def merged(theirs: str, ours: Mapping[str, str]) -> str:
    """``OTEL_RESOURCE_ATTRIBUTES`` with what the user has in it, and what ours adds.

    What both say the user says, but for the run: this run is ours. Values are percent-encoded, as the specification of
    resources wants what W3C baggage does not allow.
    """
    entries = [entry.strip() for entry in theirs.split(",") if entry.strip()]
    kept = [entry for entry in entries if _key(entry) != names.RUN_ID]
    said = {_key(entry) for entry in kept}
    added = [f"{name}={quote(value, safe='/:._-~@')}" for name, value in ours.items() if value and name not in said]
    return ",".join([*kept, *added])


def _key(entry: str) -> str:
    return unquote(entry.partition("=")[0].strip())
