"""What the SDK works with at this moment: settings, masker, providers.

One frozen ``Instrumentation`` is current at a time; ``configure`` and ``testing`` install another. Before anything is
installed, a default one reads the environment on first use (never at import) and follows the global providers, so
that decorators work with whatever the application set up.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata

from opentelemetry import metrics, trace
from opentelemetry._logs import Logger, LoggerProvider, NoOpLogger, NoOpLoggerProvider, get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from agent_otel import settings as settings_reader
from agent_otel.model import names
from agent_otel.sdk.settings import SdkSettings
from agent_otel.text.redaction import Masker, secret_values


def _version() -> str:
    try:
        return metadata.version("agent-otel")
    except metadata.PackageNotFoundError:  # run from a source tree or a bundle; that is no reason to break a program
        return ""


VERSION = _version()

RunHook = Callable[[str], None]
"""Called with a run id, after the run's span started or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrumentation:
    """Everything the SDK reads while the program runs.

    ``None`` for a provider means the global one. ``clock`` gives nanoseconds since the epoch and ``new_id`` fresh ids;
    tests replace both. ``on_run_end`` is how the embedded store has a record ready when a run exits.
    """

    settings: SdkSettings = field(default_factory=SdkSettings)
    masker: Masker
    tracer_provider: TracerProvider | None = None
    logger_provider: LoggerProvider | None = None
    meter_provider: MeterProvider | None = None
    clock: Callable[[], int] | None = None
    new_id: Callable[[], str] = lambda: secrets.token_hex(8)
    on_run_start: tuple[RunHook, ...] = ()
    on_run_end: tuple[RunHook, ...] = ()

    def tracer(self) -> trace.Tracer:
        """The tracer of this SDK's scope; a proxy while no provider is set."""
        return trace.get_tracer(names.SCOPE, VERSION, tracer_provider=self.tracer_provider)

    def logger(self) -> Logger | None:
        """The logger for events, or None where no log pipeline is configured."""
        provider = self.logger_provider or get_logger_provider()
        if isinstance(provider, ProxyLoggerProvider | NoOpLoggerProvider):
            return None
        logger = provider.get_logger(names.SCOPE, VERSION)
        return None if isinstance(logger, NoOpLogger) else logger

    def meter(self) -> metrics.Meter:
        """The meter of this SDK's scope; a proxy while no provider is set."""
        return metrics.get_meter(names.SCOPE, VERSION, self.meter_provider)


_lock = threading.Lock()
_current: Instrumentation | None = None
_listeners: list[Callable[[], None]] = []


def current() -> Instrumentation:
    """The instrumentation in force."""
    return _current or _install_default()


def install(instrumentation: Instrumentation | None) -> Instrumentation | None:
    """Puts another instrumentation in force and returns the one before; None goes back to the default."""
    global _current
    with _lock:
        before, _current = _current, instrumentation
    for changed in _listeners:
        changed()
    return before


def when_installed(changed: Callable[[], None]) -> None:
    """Calls ``changed`` whenever another instrumentation is put in force: whoever caches parts of it forgets them."""
    _listeners.append(changed)


def from_environment(**arguments: object) -> Instrumentation:
    """An instrumentation as arguments and environment say.

    Raises:
        SettingsError: a value that cannot be.
    """
    chosen = settings_reader.read(SdkSettings, arguments=arguments, environ=os.environ)
    return Instrumentation(settings=chosen, masker=masker_for(chosen))


def masker_for(chosen: SdkSettings) -> Masker:
    """A masker that knows the secret patterns and the secrets in this process's environment."""
    key = chosen.redaction_key.encode() or secrets.token_bytes(16)
    return Masker(key=key, secrets=secret_values(os.environ))


def _install_default() -> Instrumentation:
    global _current  # noqa: PLW0603 - see install
    with _lock:
        if _current is None:
            _current = from_environment()
        return _current
