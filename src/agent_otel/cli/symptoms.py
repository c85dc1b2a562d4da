"""What ``agent-otel doctor`` looks at: versions, where telemetry goes, and whether it would arrive."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.sdk import environment_variables as env

from agent_otel import settings
from agent_otel.errors import AgentOtelError, SettingsError
from agent_otel.sdk.bootstrap import destination, protocol
from agent_otel.sdk.settings import SdkSettings
from agent_otel.store.locate import find_database
from agent_otel.store.migrations import STEPS
from agent_otel.store.open import file_of, open_store
from agent_otel.store.urls import masked

CONNECT_S: Final = 1.0
_PACKAGES: Final = (
    "agent-otel",
    "opentelemetry-sdk",
    "opentelemetry-semantic-conventions",
    "opentelemetry-exporter-otlp",
)

Status = Literal["ok", "broken", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing that was looked at."""

    name: str
    status: Status
    value: str


def examine(*, environ: Mapping[str, str], folder: Path, database: str | None) -> Iterator[Symptom]:
    """Everything there is to know before asking why no record appears.

    Args:
        environ: the environment to judge by.
        folder: where the database and the repository are looked for.
        database: a database named by the user.
    """
    yield from _versions()
    yield from _tracing(environ)
    yield from _database(database or find_database(folder, environ))
    yield _git(folder)
    yield _content(environ)


def _versions() -> Iterable[Symptom]:
    yield Symptom(name="python", status="ok", value=f"{platform.python_version()} on {platform.system()}")
    yield Symptom(name="sqlite", status="ok", value=sqlite3.sqlite_version)
    yield from map(_version, _PACKAGES)


def _version(package: str) -> Symptom:
    try:
        return Symptom(name=package, status="ok", value=metadata.version(package))
    except metadata.PackageNotFoundError:
        return Symptom(name=package, status="broken", value="not installed")


def _tracing(environ: Mapping[str, str]) -> Iterable[Symptom]:
    provider = type(trace.get_tracer_provider()).__name__
    is_set = "none is set" if provider == "ProxyTracerProvider" else f"{provider} is set"
    yield Symptom(name="tracer provider", status="note", value=f"{is_set} in this process")
    chosen, reason = destination(environ)
    status: Status = "note" if chosen == "disabled" else "ok"
    yield Symptom(name="configure() chooses", status=status, value=f"{chosen}: {reason}")
    if chosen == "otlp":
        yield from _endpoint(environ)


def _endpoint(environ: Mapping[str, str]) -> Iterable[Symptom]:
    """Where spans go, and whether somebody listens there."""
    kind = protocol("traces", environ)
    settings_of_it = (env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, env.OTEL_EXPORTER_OTLP_ENDPOINT)
    url = next(
        filter(None, (environ.get(name, "") for name in settings_of_it)),
        f"http://localhost:{4317 if kind == 'grpc' else 4318}",
    )
    # gRPC endpoints are also given without a scheme.
    parts = urlsplit(url if "://" in url else f"//{url}")
    try:
        host, port = parts.hostname or "", parts.port or _default_port(parts.scheme, kind)
    except ValueError as exc:
        yield Symptom(name="OTLP endpoint", status="broken", value=f"not a URL: {exc}")
        return
    # Never the whole URL: its user part and query may hold credentials.
    yield Symptom(name="OTLP endpoint", status="ok", value=f"{host}:{port} over {kind}")
    yield _reachable(host, port)


def _default_port(scheme: str, kind: str) -> int:
    """HTTP endpoints without a port use that of their scheme (RFC 3986); gRPC ones the port registered for OTLP."""
    return {"http": 80, "https": 443}.get(scheme, 4317) if kind != "grpc" else 4317


def _reachable(host: str, port: int) -> Symptom:
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError as exc:
        return Symptom(name="OTLP endpoint answers", status="broken", value=f"no: {exc.strerror or exc}")
    return Symptom(name="OTLP endpoint answers", status="ok", value="yes")


def _database(where: str | Path) -> Iterable[Symptom]:
    try:
        file = file_of(where)
        if file is not None and not file.exists():
            yield _missing(file)
            return
        with closing(open_store(where)) as store:
            stats = store.stats()
    except AgentOtelError as exc:
        yield Symptom(name="database", status="broken", value=str(exc))
        return
    runs = ", ".join(f"{number} {lifecycle}" for lifecycle, number in sorted(stats.records.items()))
    told = masked(str(where)) if file is None else f"{file}, schema version {len(STEPS)}"
    yield Symptom(name="database", status="ok", value=told)
    yield Symptom(name="runs", status="ok", value=f"{sum(stats.records.values())}" + (f" ({runs})" if runs else ""))
    if file is not None:
        writable = os.access(file, os.W_OK)
        told = "yes" if writable else "no"
        yield Symptom(name="database writable", status="ok" if writable else "broken", value=told)


def _missing(file: Path) -> Symptom:
    nearest = next(folder for folder in file.absolute().parents if folder.exists())
    writable = os.access(nearest, os.W_OK)
    told = "does not exist yet" if writable else f"does not exist, and {nearest} is not writable"
    return Symptom(name="database", status="ok" if writable else "broken", value=f"{file} {told}")


def _git(folder: Path) -> Symptom:
    program = shutil.which("git")
    if program is None:
        return Symptom(name="git", status="note", value="not found: base commit and changed files are not recorded")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    inside = any((parent / ".git").exists() for parent in (folder, *folder.parents))
    where = "" if inside else ", no repository here"
    return Symptom(name="git", status="ok" if inside else "note", value=version + where)


def _content(environ: Mapping[str, str]) -> Symptom:
    try:
        chosen = settings.read(SdkSettings, environ=environ)
    except SettingsError as exc:
        return Symptom(name="settings", status="broken", value=str(exc))
    return Symptom(name="content capture", status="ok", value=chosen.content)
