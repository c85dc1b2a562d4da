"""Telemetry as a program would send it, and the command line as a person would call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent_otel.cli.main import main
from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.service.api.reply import reply
from agent_otel.service.exchange import Request
from agent_otel.service.fold import fold_due
from agent_otel.store.open import open_store
from agent_otel.store.sqlite import SqliteStore

START_S = 1_779_095_523  # 2026-05-18T09:12:03Z
Invoke = Callable[..., Result]
SAME_MODULES = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)  # noqa: PTH100 - relative ones break in other folders
"""``PYTHONPATH`` by which a child process sees the package that the tests see."""


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    def value(it: Any) -> dict[str, Any]:
        if isinstance(it, list):
            return {"arrayValue": {"values": [value(part) for part in it]}}
        if isinstance(it, bool):
            return {"boolValue": it}
        if isinstance(it, int):
            return {"intValue": str(it)}
        return {"doubleValue": it} if isinstance(it, float) else {"stringValue": it}

    return [{"key": key, "value": value(it)} for key, it in values.items()]


def telemetry(
    run_id: str = "run-1",
    *,
    number: int = 1,
    agent: str = "fixer",
    objective: str = "Fix the redirect",
    repository: str = "invite-app",
    parent: str = "",
    seconds: int = 0,
    ended: bool = True,
    handoff: bool = True,
) -> dict[str, Any]:
    """An OTLP/JSON request with one run of the SDK's own dialect, which ran one command.

    Args:
        run_id: the run.
        number: makes ids of spans and traces.
        agent: the agent's name.
        objective: what the task was.
        repository: what it worked on.
        parent: the run it is part of.
        seconds: how much later than the first it starts.
        ended: whether the run's span ended.
        handoff: whether it left one.
    """
    start = (START_S + seconds) * 1_000_000_000

    def event(name: str, after_ms: int, **attributes: Any) -> dict[str, Any]:
        known = {names.RUN_ID: run_id, names.EVENT_ID: f"{number}-{name}-{after_ms}"}
        return {
            "name": name,
            "timeUnixNano": str(start + after_ms * 1_000_000),
            "attributes": _attributes({**known, **attributes}),
        }

    task = {names.TASK_OBJECTIVE: objective, names.BASE_REPOSITORY: repository, names.TASK_SCOPE: ["src/**"]}
    command = {
        names.COMMAND_ID: f"k{number}",
        names.COMMAND_LINE: "pytest -q",
        names.COMMAND_RESULT: "failed",
        names.PROCESS_EXIT_CODE: 1,
        names.COMMAND_DURATION: 0.5,
        names.COMMAND_OBSERVER: "harness",
    }
    events = [event(names.TASK_STARTED, 0, **task), event(names.COMMAND_RUN, 600, **command)]
    if handoff:
        status = {names.HANDOFF_STATUS: "patch with blocker", names.HANDOFF_NEXT_ACTION: "run e2e in CI"}
        events.append(event(names.HANDOFF_WRITTEN, 900, **status))
    identity = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: agent,
        names.RUN_ID: run_id,
        **({names.RUN_PARENT: parent} if parent else {}),
        **({names.RUN_OUTCOME: "ended"} if ended else {}),
    }
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": f"invoke_agent {agent}",
        "kind": 1,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_000_000_000 if ended else 0),
        "attributes": _attributes(identity),
        "events": events,
    }
    scope = {"scope": {"name": names.SCOPE}, "spans": [span]}
    resource = {"attributes": _attributes({names.SERVICE_NAME: "test"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


@pytest.fixture(name="telemetry")
def telemetry_fixture() -> Callable[..., dict[str, Any]]:
    """Makes OTLP/JSON requests; see the function."""
    return telemetry


@pytest.fixture
def lines() -> Callable[..., bytes]:
    """Requests as JSON lines."""
    return lambda *requests: b"".join(json.dumps(request).encode() + b"\n" for request in requests)


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Calls the command line inside this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path, input: bytes | str | None = None, **env: str) -> Result:  # noqa: A002 - as click has it
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=input, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def same_modules() -> str:
    """See ``SAME_MODULES``."""
    return SAME_MODULES


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs ``python -m agent_otel`` as a real process, in a folder of its own."""

    def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
        env = {**os.environ, "PYTHONPATH": SAME_MODULES, **options.pop("env", {})}
        command = [sys.executable, "-m", "agent_otel", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False, **options)

    return run


class Served:
    """The read API of a database on a port of its own; notes the headers of each request."""

    def __init__(self, database: Path) -> None:
        self.asked: list[Message] = []
        self.store = SqliteStore(database)
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                served.asked.append(self.headers)
                path, _, query = self.path.partition("?")
                answered = reply(Request(method="GET", path=path, query=query), served.store)
                self.send_response(answered.status)
                for name, value in {**answered.headers, "content-length": str(len(answered.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answered.body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.store.close()


@pytest.fixture
def serving() -> Iterator[Callable[[Path], Served]]:
    """Serves databases until the test ends."""
    with ExitStack() as started:
        yield lambda database: started.enter_context(closing(Served(database)))


@pytest.fixture
def served(serving: Callable[[Path], Served], database: Path) -> Served:
    """The runs of ``database``, served."""
    return serving(database)


@pytest.fixture
def copied(database: Path, postgres_url: str) -> str:
    """The URL of a PostgreSQL database with the items and runs of ``database``."""
    with closing(SqliteStore(database)) as store, closing(open_store(postgres_url)) as copy:
        copy.put([item for record in store.records() for item in store.run_items(record.run_id)])
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
    return postgres_url


SOURCES: dict[str, Callable[[pytest.FixtureRequest, Path], tuple[str, str]]] = {
    "path": lambda _, database: ("--db", str(database)),
    "sqlite": lambda _, database: ("--db", f"sqlite:///{database}"),
    "postgresql": lambda request, _: ("--db", request.getfixturevalue("copied")),
    "api": lambda request, _: ("--url", request.getfixturevalue("served").url),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, database: Path) -> tuple[str, str]:
    """Each way to name where the runs of ``database`` are."""
    return SOURCES[request.param](request, database)


@pytest.fixture
def database(tmp_path: Path, invoke: Invoke, lines: Callable[..., bytes]) -> Path:
    """A database with three runs: one ended, a later one without a handoff, and its sub-agent's."""
    source = tmp_path / "stored.jsonl"
    source.write_bytes(
        lines(
            telemetry("run-1", number=1),
            telemetry("run-2", number=2, agent="writer", repository="docs", seconds=3600, handoff=False),
            telemetry("child-1", number=3, agent="helper", parent="run-2", seconds=3700, handoff=False),
        )
    )
    path = tmp_path / "stored.db"
    assert invoke("compact", source, "--db", path).exit_code == 0
    return path
