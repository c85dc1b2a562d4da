"""``configure`` and ``flush``: the one place that joins the SDK with exporters or with the embedded store.

Everything heavy is imported when it is chosen, so that ``import agent_otel`` stays light for programs that only
decorate.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_otel.sdk import metrics, state
from agent_otel.sdk.guard import guard

if TYPE_CHECKING:
    from agent_otel.sdk.bootstrap import Destination, Pipelines, Providers
    from agent_otel.service.embedded import EmbeddedPipeline
    from agent_otel.text.redaction import Masker


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What ``configure`` set up.

    ``destination`` is ``embedded``, ``otlp``, ``existing`` (the application's own provider) or ``disabled``;
    ``database`` is the embedded store's file, where there is one.
    """

    destination: Destination
    reason: str
    database: Path | None
    flush: Callable[[float], bool]
    shutdown: Callable[[], None]


_active: Telemetry | None = None


def configure(
    service_name: str | None = None,
    *,
    database: str | os.PathLike[str] | None = None,
    version: str | None = None,
    **settings: Any,
) -> Telemetry:
    """Sets up telemetry for a program that has none, as the ``OTEL_*`` variables say.

    With an OTLP endpoint (or an ``OTEL_*_EXPORTER``) spans, log events and metrics are exported. Without one they go to
    the embedded store: ``.agent-otel/runs.db``, found upwards from the working directory. A provider that the
    application has set is used and never replaced. Calling it again changes the settings only.

    Args:
        service_name: ``service.name``, where ``OTEL_SERVICE_NAME`` does not say it.
        database: file of the embedded store; given explicitly (or by ``AGENT_OTEL_DB``), the store is fed whatever
            else receives the telemetry.
        version: ``service.version``.
        **settings: any field of ``SdkSettings``, such as ``content="SPAN_ONLY"``.

    Returns:
        What was chosen, and why.

    Raises:
        SettingsError: a setting or exporter that cannot be.
    """
    global _active  # noqa: PLW0603 - the process has one set of global providers
    from agent_otel.sdk import bootstrap  # noqa: PLC0415 - the SDK and its exporters are needed from here on only

    instrumentation = state.from_environment(**settings)
    if _active is not None:
        state.install(replace(state.current(), settings=instrumentation.settings, masker=instrumentation.masker))
        return _active
    chosen, reason = bootstrap.destination(os.environ)
    wants_store = chosen == "embedded" or database is not None or "AGENT_OTEL_DB" in os.environ
    embedded = _embedded(database, instrumentation.masker) if wants_store and chosen != "disabled" else None
    pipelines = bootstrap.exporting_pipelines(os.environ) if chosen == "otlp" else bootstrap.Pipelines()
    providers = _providers(chosen, _with_store(pipelines, embedded), service_name, version)
    hooks: dict[str, Any] = {}
    if embedded is not None:
        hooks = {"on_run_start": (embedded.run_started,), "on_run_end": (embedded.run_ended,)}
    state.install(replace(instrumentation, **hooks))
    _active = _telemetry(chosen, reason, providers, embedded)
    return _active


def flush(timeout: float = 5.0) -> bool:
    """Sends everything recorded so far.

    Args:
        timeout: seconds it may take.

    Returns:
        False where time ran out.
    """
    metrics.flush()
    return _active.flush(timeout) if _active is not None else True


def _embedded(database: str | os.PathLike[str] | None, masker: Masker) -> EmbeddedPipeline:
    from agent_otel.compaction.policy import Policy  # noqa: PLC0415 - see configure
    from agent_otel.otlp.masking import ItemMasker  # noqa: PLC0415 - see configure
    from agent_otel.service.embedded import EmbeddedPipeline  # noqa: PLC0415 - see configure
    from agent_otel.store.locate import find_database  # noqa: PLC0415 - see configure
    from agent_otel.store.open import file_of, open_store  # noqa: PLC0415 - see configure

    where = os.fspath(database) if database is not None else find_database(Path.cwd(), os.environ)
    return EmbeddedPipeline(lambda: open_store(where), Policy(), database=file_of(where), arrive=ItemMasker(masker))


def _with_store(pipelines: Pipelines, embedded: EmbeddedPipeline | None) -> Pipelines:
    if embedded is None:
        return pipelines
    return replace(pipelines, spans=(*pipelines.spans, embedded.spans), logs=(*pipelines.logs, embedded.logs))


def _providers(
    chosen: Destination,
    pipelines: Pipelines,
    service_name: str | None,
    version: str | None,
) -> Providers:
    from opentelemetry import trace  # noqa: PLC0415 - see configure

    from agent_otel.model import names  # noqa: PLC0415 - see configure
    from agent_otel.sdk import bootstrap, git  # noqa: PLC0415 - see configure

    if chosen == "disabled":
        return bootstrap.Providers()
    existing = trace.get_tracer_provider()
    if chosen == "existing" and hasattr(existing, "add_span_processor"):
        for processor in pipelines.spans:  # adding a listener replaces nothing
            existing.add_span_processor(processor)
        pipelines = replace(pipelines, spans=())
    repository = git.Repository.find(Path.cwd())
    base = repository.base() if repository is not None else git.Base()
    attributes = {
        names.SERVICE_VERSION: version,
        names.VCS_REPOSITORY_NAME: base.repository,
        names.VCS_REPOSITORY_URL: state.current().masker.mask(base.url)[0],
        names.VCS_REF_NAME: base.branch,
        names.VCS_REF_REVISION: base.commit,
    }
    return bootstrap.install_providers(bootstrap.resource_of(service_name, attributes), pipelines, os.environ)


def _telemetry(
    chosen: Destination,
    reason: str,
    providers: Providers,
    embedded: EmbeddedPipeline | None,
) -> Telemetry:
    from agent_otel.sdk import bootstrap  # noqa: PLC0415 - see configure

    def flush_all(timeout: float) -> bool:
        started = time.monotonic()
        sent = providers.flush(timeout)
        if embedded is not None:
            sent = embedded.flush(max(0.0, timeout - (time.monotonic() - started))) and sent
        return sent

    def shutdown() -> None:
        global _active  # noqa: PLW0603 - see configure
        forget()
        with guard("leaving"):
            metrics.flush()
            providers.shutdown()
            if embedded is not None:
                embedded.close()
        if _active is not None:
            _active = None
            state.install(None)

    forget = bootstrap.leave_well(shutdown)
    database = embedded.database if embedded is not None else None
    return Telemetry(destination=chosen, reason=reason, database=database, flush=flush_all, shutdown=shutdown)
