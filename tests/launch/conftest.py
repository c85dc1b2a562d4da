"""``agent-otel run`` as a person would call it: a real process in a real repository, with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_otel.compaction.policy import Policy
from agent_otel.model.record import RunRecord
from agent_otel.service.fold import fold_due
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from real.ports import wait_until

SAME_MODULES = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)  # noqa: PTH100 - relative ones break in other folders
PROGRAM = (sys.executable, "-m", "agent_otel")

PYTHON_AGENT = """
import os, signal, sys, time
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

how = sys.argv[1]
provider = TracerProvider(resource=Resource({"service.name": "some-agent"}) if "ALOOF" in os.environ else None)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("some.agent")
with tracer.start_as_current_span("execute_tool read_file") as span:
    span.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "read_file"})
    span.set_attribute("said", os.environ.get("SAY", ""))
if how == "exit":
    provider.shutdown()
    sys.exit(int(sys.argv[2]))
if how == "hang":
    provider.force_flush()
    print("ready", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)) if sys.argv[2] == "polite" else None
    signal.signal(signal.SIGTERM, signal.SIG_IGN) if sys.argv[2] == "deaf" else None
    print("waiting", flush=True)
    while True:
        signal.pause()
"""
"""An agent that uses the OpenTelemetry SDK, and knows nothing of us: one tool call, and the end it is told to have."""


class Launched:
    """An ``agent-otel run`` that goes on."""

    def __init__(self, command: list[str], *, cwd: Path, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def line(self) -> str:
        """The next line of its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ended(self, timeout: float = 40) -> tuple[int, str, str]:
        """Waits for its end: exit code, and the rest of what it printed."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err


class Repository:
    """A real repository with an agent beside it, and what ``agent-otel run`` records of it."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home
        self.agent = home.parent / "agent.py"
        self.agent.write_text(PYTHON_AGENT)
        self.database = root / ".agent-otel" / "runs.db"
        self.started: list[Launched] = []

    def environ(self, **env: str) -> dict[str, str]:
        """The environment of a user."""
        return {**os.environ, "PYTHONPATH": SAME_MODULES, "HOME": str(self.home), **env}

    def start(self, *arguments: str | Path, **env: str) -> Launched:
        """Starts ``agent-otel`` with arguments."""
        command = [*PROGRAM, *map(str, arguments)]
        self.started.append(Launched(command, cwd=self.root, env=self.environ(**env)))
        return self.started[-1]

    def python(self, *words: str | Path) -> list[str]:
        """The command line of the agent."""
        return [sys.executable, str(self.agent), *map(str, words)]

    def run(self, *arguments: str | Path, **env: str) -> tuple[int, str, str]:
        """Runs ``agent-otel`` with arguments to its end: exit code, standard output, standard error."""
        return self.start(*arguments, **env).ended()

    def json(self, *arguments: str | Path, **env: str) -> dict[str, Any]:
        """The record that ``agent-otel run --json`` prints."""
        _, out, err = self.run("run", "--json", *arguments, **env)
        assert out, err
        return dict(json.loads(out[out.index("{\n") :]))

    def records(self) -> list[RunRecord]:
        """All records in the database of the repository."""
        with closing(open_store(self.database)) as store:
            fold_due(store, now_ns=time.time_ns(), policy=Policy())
            return store.records(RecordQuery())

    def items(self, run_id: str) -> list[bytes]:
        """The raw items that the record of a run was made of, with what stands around them."""
        with closing(open_store(self.database)) as store:
            return [item.resource + item.scope + item.raw for item in store.run_items(run_id)]


@pytest.fixture
def launching(repo: Path, tmp_path: Path) -> Iterator[Repository]:
    """The repository of the fixture ``repo``; everything that was started in it is ended."""
    home = tmp_path / "home"
    home.mkdir()
    repository = Repository(repo, home)
    yield repository
    for each in repository.started:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.communicate(timeout=30)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until something is so."""
    return wait_until
