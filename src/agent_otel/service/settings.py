"""The settings of the processor, each written once; flags, environment, file and README follow from them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from agent_otel.compaction.policy import Policy
from agent_otel.errors import SettingsError, suggestion
from agent_otel.otlp.received import SignalName

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OFF: Final = "off"
TABLE: Final = "processor"
"""The table of the file that the settings stand in."""

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorSettings:
    """Where the processor listens, what it may hold, and whom it lets in.

    Raises:
        SettingsError: a value outside of what its help text allows, or several that cannot be together.
    """

    db: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_DB",
            "help": "the database: a path, `sqlite:///path` or `postgresql://…`; `.agent-otel/runs.db` if not given",
        },
    )
    http: str = field(
        default="127.0.0.1:4318",
        metadata={
            "env": "AGENT_OTEL_HTTP",
            "help": "`host:port` of OTLP/HTTP, API and metrics; port 0 takes a free one, `off` none",
        },
    )
    grpc: str = field(
        default="127.0.0.1:4317",
        metadata={"env": "AGENT_OTEL_GRPC", "help": "`host:port` of OTLP/gRPC; port 0 takes a free one, `off` none"},
    )
    tokens: tuple[str, ...] = field(
        default=(),
        metadata={
            "env": "AGENT_OTEL_TOKENS",
            "help": "tokens, any of which lets a client in; at least 16 characters each",
            "flag": False,  # arguments of a process can be read by everybody on the machine
        },
    )
    token_file: Path | None = field(
        default=None,
        metadata={
            "env": "AGENT_OTEL_TOKEN_FILE",
            "help": "file with one token a line; read again when it changes, and on SIGHUP",
        },
    )
    tls_certificate: Path | None = field(
        default=None,
        metadata={
            "env": "AGENT_OTEL_TLS_CERTIFICATE",
            "help": "PEM file with the certificate (chain) of both listeners",
        },
    )
    tls_key: Path | None = field(
        default=None,
        metadata={"env": "AGENT_OTEL_TLS_KEY", "help": "PEM file with the key of the certificate"},
    )
    tls_client_ca: Path | None = field(
        default=None,
        metadata={
            "env": "AGENT_OTEL_TLS_CLIENT_CA",
            "help": "PEM file with the authority that clients' certificates must come from (mTLS)",
        },
    )
    in_flight_mib: int = field(
        default=64,
        metadata={
            "env": "AGENT_OTEL_IN_FLIGHT_MIB",
            "help": "MiB of requests that may be in work at once; past it senders are told to come back",
        },
    )
    connections: int = field(
        default=1000,
        metadata={
            "env": "AGENT_OTEL_CONNECTIONS",
            "help": "HTTP connections at once; past it senders are told to come back",
        },
    )
    read_timeout_s: float = field(
        default=30.0,
        metadata={
            "env": "AGENT_OTEL_READ_TIMEOUT",
            "help": "seconds a request may take to arrive; its headers, a third of that",
        },
    )
    idle_timeout_s: float = field(
        default=75.0,
        metadata={"env": "AGENT_OTEL_IDLE_TIMEOUT", "help": "seconds a connection may stay open without a request"},
    )
    drain_s: float = field(
        default=10.0,
        metadata={"env": "AGENT_OTEL_DRAIN", "help": "seconds that ending may take, after SIGTERM or SIGINT"},
    )
    ready_lag_s: float = field(
        default=300.0,
        metadata={
            "env": "AGENT_OTEL_READY_LAG",
            "help": "seconds a run may wait to be folded before `/readyz` says no",
        },
    )
    workers: int = field(
        default=1,
        metadata={
            "env": "AGENT_OTEL_WORKERS",
            "help": "processes that fold; 0 leaves it to other processors on the same database",
        },
    )
    debounce_s: float = field(
        default=1.0,
        metadata={"env": "AGENT_OTEL_DEBOUNCE", "help": "seconds a run gathers items before it is folded again"},
    )
    abandoned_after_s: float = field(
        default=900.0,
        metadata={
            "env": "AGENT_OTEL_ABANDONED_AFTER",
            "help": "seconds of silence after which a run without an end is abandoned",
        },
    )
    retention_days: float = field(
        default=30.0,
        metadata={
            "env": "AGENT_OTEL_RETENTION_DAYS",
            "help": "days that raw items are kept; records stay; 0 keeps them for ever",
        },
    )
    redact: bool = field(
        default=True,
        metadata={
            "env": "AGENT_OTEL_REDACT",
            "help": "mask secrets in what arrives, before it is kept; what this SDK sent is masked already",
        },
    )
    redaction_key: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_REDACTION_KEY",
            "help": "key of the short hash in redaction markers, that of the SDK; without one they have none",
            "flag": False,  # see tokens
        },
    )
    emit_file: Path | None = field(
        default=None,
        metadata={
            "env": "AGENT_OTEL_EMIT_FILE",
            "help": "file that each new revision of a record is appended to, as a line of JSON",
        },
    )
    emit_endpoint: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_EMIT_ENDPOINT",
            "help": "URL (`http://host:4318/v1/logs`) that each new revision is sent to as a log event",
        },
    )
    metrics_endpoint: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_METRICS_ENDPOINT",
            "help": "URL (`http://host:4318/v1/metrics`) that own metrics are sent to by OTLP",
        },
    )
    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="info",
        metadata={"env": "AGENT_OTEL_LOG_LEVEL", "help": "least severe log lines to write"},
    )
    log_format: Literal["auto", "json", "text"] = field(
        default="auto",
        metadata={
            "env": "AGENT_OTEL_LOG_FORMAT",
            "help": "how log lines are written; auto: text on terminals, else JSON",
        },
    )

    def __post_init__(self) -> None:
        _check_least(self)
        if (self.tls_certificate is None) != (self.tls_key is None):
            message = "tls_certificate and tls_key come together"
            raise SettingsError(message)
        if self.tls_client_ca is not None and self.tls_certificate is None:
            message = "tls_client_ca needs tls_certificate and tls_key"
            raise SettingsError(message)
        if self.http == OFF and self.grpc == OFF and not self.reads_elsewhere:
            message = "http and grpc are both off: nothing would be received"
            raise SettingsError(message)

    @property
    def reads_elsewhere(self) -> bool:
        """Whether telemetry comes from somewhere else than the listeners."""
        return False

    @property
    def in_flight_bytes(self) -> int:
        """``in_flight_mib`` in bytes."""
        return self.in_flight_mib * MIB


def _metadata_of(name: str) -> Mapping[str, Any]:
    """What is written at a setting of ``ProcessorSettings``."""
    return next(each.metadata for each in fields(ProcessorSettings) if each.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSettings:
    """What a command that folds has in common with the processors of the same database.

    Raises:
        SettingsError: as ``ProcessorSettings``.
    """

    abandoned_after_s: float = field(default=900.0, metadata=_metadata_of("abandoned_after_s"))

    def __post_init__(self) -> None:
        _check_least(self)

    @property
    def policy(self) -> Policy:
        """How to compact."""
        return Policy(abandoned_after_s=self.abandoned_after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionSettings:
    """The settings of a processor that say what is masked, for those who read telemetry without one."""

    redact: bool = field(default=True, metadata=_metadata_of("redact"))
    redaction_key: str = field(default="", metadata=_metadata_of("redaction_key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSettings(ProcessorSettings):
    """Which topics of Kafka to read; and what a processor that reads them has in common with one that listens.

    Raises:
        SettingsError: as ``ProcessorSettings``; or there is no topic.
    """

    http: str = field(default=OFF, metadata=_metadata_of("http"))
    grpc: str = field(default=OFF, metadata=_metadata_of("grpc"))
    kafka: str = field(
        default="127.0.0.1:9092",
        metadata={"env": "AGENT_OTEL_KAFKA", "help": "`host:port` of Kafka brokers, several separated by commas"},
    )
    group: str = field(
        default="agent-otel",
        metadata={"env": "AGENT_OTEL_KAFKA_GROUP", "help": "consumer group; its members share the partitions"},
    )
    traces_topic: str = field(
        default="otlp_spans",
        metadata={"env": "AGENT_OTEL_KAFKA_TRACES_TOPIC", "help": "topic of traces; `off` for none"},
    )
    logs_topic: str = field(
        default="otlp_logs",
        metadata={"env": "AGENT_OTEL_KAFKA_LOGS_TOPIC", "help": "topic of logs; `off` for none"},
    )
    metrics_topic: str = field(
        default="otlp_metrics",
        metadata={"env": "AGENT_OTEL_KAFKA_METRICS_TOPIC", "help": "topic of metrics; `off` for none"},
    )
    kafka_config: Path | None = field(
        default=None,
        metadata={
            "env": "AGENT_OTEL_KAFKA_CONFIG",
            "help": "file with more settings of the client, such as `security.protocol=SSL`, one a line",
        },
    )

    def __post_init__(self) -> None:
        ProcessorSettings.__post_init__(self)
        if not self.topics:
            message = "all topics are off: nothing would be read"
            raise SettingsError(message)

    @property
    def reads_elsewhere(self) -> bool:
        """Whether telemetry comes from somewhere else than the listeners."""
        return True

    @property
    def topics(self) -> dict[str, SignalName]:
        """Topic to what its messages hold."""
        chosen: dict[str, SignalName] = {
            self.traces_topic: "span",
            self.logs_topic: "log",
            self.metrics_topic: "metric",
        }
        return {topic: signal for topic, signal in chosen.items() if topic != OFF}


_LEAST: Final[Mapping[str, float]] = {
    # One request of the largest size must always be possible.
    "in_flight_mib": 64,
    "connections": 1,
    "read_timeout_s": 0.1,
    "idle_timeout_s": 1,
    "drain_s": 1,
    "ready_lag_s": 1,
    "workers": 0,
    "debounce_s": 0,
    "retention_days": 0,
    "abandoned_after_s": 1,
}


def _check_least(settings: ProcessorSettings | FoldSettings) -> None:
    for each in fields(settings):
        least, value = _LEAST.get(each.name), getattr(settings, each.name)
        if least is not None and value < least:
            message = f"{each.name} must be at least {least:g}, got {value:g}"
            raise SettingsError(message)


def read_file(path: Path) -> dict[str, Any]:
    """The ``[processor]`` table of a TOML file, for ``agent_otel.settings.read``.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or holds something else.
    """
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        message = f"cannot read {path}: {exc.strerror or exc}"
        raise SettingsError(message) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        message = f"{path} is not TOML: {exc}"
        raise SettingsError(message) from exc
    for key, value in content.items():
        if key != TABLE or not isinstance(value, dict):
            known = [f"[{TABLE}]", *(each.name for each in fields(ProcessorSettings))]
            message = (
                f"{path}: expected the settings in a table [{TABLE}], got {key!r} beside it; {suggestion(key, known)}"
            )
            raise SettingsError(message)
    table: dict[str, Any] = content.get(TABLE, {})
    return table
