"""Where ``configure`` sends telemetry, in real processes: global providers can be set once in each."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

RUN = """
with agent_otel.run("Fix", agent="fixer", id="run-1", scope=["**"], exclusions=[]) as run:
    run.command(["true"])
    run.decision("a", alternatives={"b": "c"})
"""


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP on a free loopback port and keeps the bodies."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        super().__init__(("127.0.0.1", 0), Receiver.Handler)

    class Handler(BaseHTTPRequestHandler):
        """Answers every export with success."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            self.server.bodies.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that listens while the test runs."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_with_an_endpoint_spans_logs_and_metrics_are_exported(receiver: Receiver, python, tmp_path: Path) -> None:
    """All three signals leave through the official exporters, and no database is made."""
    done = python(
        "import agent_otel\nprint(agent_otel.configure(service_name='bot', version='2').destination)\n" + RUN,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_RESOURCE_ATTRIBUTES": "team=a"},
    )
    assert (done.returncode, done.stdout) == (0, "otlp\n"), done.stderr
    assert done.stderr == ""
    traces = [ExportTraceServiceRequest.FromString(body) for body in receiver.bodies["/v1/traces"]]
    spans = [
        span for each in traces for block in each.resource_spans for scope in block.scope_spans for span in scope.spans
    ]
    assert {span.name for span in spans} == {"invoke_agent fixer", "execute_tool run_command true"}
    resource = {entry.key: entry.value.string_value for entry in traces[0].resource_spans[0].resource.attributes}
    assert (resource["service.name"], resource["service.version"], resource["team"]) == ("bot", "2", "a")
    logs = [ExportLogsServiceRequest.FromString(body) for body in receiver.bodies["/v1/logs"]]
    events = [
        log.event_name
        for each in logs
        for block in each.resource_logs
        for scope in block.scope_logs
        for log in scope.log_records
    ]
    assert "agent_otel.decision_made" in events
    sums = [ExportMetricsServiceRequest.FromString(body) for body in receiver.bodies["/v1/metrics"]]
    metrics = {
        metric.name
        for each in sums
        for block in each.resource_metrics
        for scope in block.scope_metrics
        for metric in scope.metrics
    }
    assert {"tools_called_total", "gen_ai.invoke_agent.duration"} <= metrics
    assert not (tmp_path / ".agent-otel").exists()


def test_the_repository_is_in_the_resource_and_its_password_is_not(receiver: Receiver, python, repo: Path, git) -> None:
    """``vcs.*`` of the working directory, with credentials masked."""
    git(repo, "config", "remote.origin.url", "https://bot:hunter2hunter2@example.invalid/team/app.git")
    done = python(
        "import agent_otel\nagent_otel.configure()\n" + RUN,
        cwd=repo,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
    )
    assert done.returncode == 0, done.stderr
    body = b"".join(each for bodies in receiver.bodies.values() for each in bodies)
    assert b"hunter2" not in body
    request = ExportTraceServiceRequest.FromString(receiver.bodies["/v1/traces"][0])
    resource = {entry.key: entry.value.string_value for entry in request.resource_spans[0].resource.attributes}
    assert resource["vcs.repository.name"] == "app"
    assert resource["vcs.ref.head.name"] == "work"
    assert resource["vcs.ref.head.revision"] == git(repo, "rev-parse", "HEAD")


def test_a_meter_provider_that_is_set_gets_no_second_exporter(receiver: Receiver, python) -> None:
    """Metrics stay with the application's provider; spans and logs, for which it has none, are exported."""
    done = python(
        "import threading\n"
        "from opentelemetry import metrics\n"
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "metrics.set_meter_provider(MeterProvider())\n"
        "import agent_otel\nagent_otel.configure()\n"
        + RUN
        + "print(sorted(each.name for each in threading.enumerate() if 'Metric' in each.name))",
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert set(receiver.bodies) == {"/v1/traces", "/v1/logs"}


@pytest.mark.parametrize("database", ["here.db", "sqlite:///here.db"])
def test_a_database_may_be_fed_beside_an_endpoint(receiver: Receiver, python, tmp_path: Path, database: str) -> None:
    """An explicit database, named by path or URL, gets the same run as the endpoint."""
    done = python(
        f"import agent_otel\nagent_otel.configure(database={database!r})\n{RUN}",
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_METRICS_EXPORTER": "none"},
    )
    assert done.returncode == 0, done.stderr
    assert "/v1/traces" in receiver.bodies
    assert "/v1/metrics" not in receiver.bodies
    assert (tmp_path / "here.db").exists()


def test_a_provider_that_is_set_is_used_and_never_replaced(python) -> None:
    """The application's provider gets the spans, with its own exporter."""
    done = python(
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "provider, exporter = TracerProvider(), InMemorySpanExporter()\n"
        "provider.add_span_processor(SimpleSpanProcessor(exporter))\n"
        "trace.set_tracer_provider(provider)\n"
        "import agent_otel\n"
        "telemetry = agent_otel.configure(service_name='ignored')\n"
        + RUN
        + "print(telemetry.destination, trace.get_tracer_provider() is provider, len(exporter.get_finished_spans()))\n"
        "print(telemetry.database)",
    )
    assert done.stdout.split() == ["existing", "True", "2", "None"], done.stderr


def test_disabled_means_nothing_at_all(python, tmp_path: Path) -> None:
    """``OTEL_SDK_DISABLED`` leaves no file, and the program runs."""
    done = python(
        "import agent_otel\nprint(agent_otel.configure().destination)\n" + RUN, env={"OTEL_SDK_DISABLED": "true"}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "disabled\n", "")
    assert list(tmp_path.iterdir()) == []


def test_configuring_twice_changes_the_settings_only(python) -> None:
    """The second call keeps providers and store."""
    done = python(
        "import agent_otel\n"
        "first = agent_otel.configure(database='a.db')\n"
        "second = agent_otel.configure(content='SPAN_ONLY')\n"
        "from agent_otel.sdk import state\n"
        "print(first is second, state.current().settings.content)",
    )
    assert done.stdout.split() == ["True", "SPAN_ONLY"], done.stderr


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"OTEL_TRACES_EXPORTER": "carrier-pigeon"}, "names 'carrier-pigeon'; installed are: console"),
        ({"AGENT_OTEL_EVENTS": "somewhere"}, "events must be one of auto, span, log, both, got 'somewhere'"),
        ({"AGENT_OTEL_VALUE_LIMIT": "many"}, "AGENT_OTEL_VALUE_LIMIT"),
    ],
)
def test_a_setting_that_cannot_be_is_said_at_once(python, env: dict[str, str], message: str) -> None:
    """``configure`` raises, and names what was expected and what came."""
    done = python("import agent_otel\nagent_otel.configure()", env=env)
    assert done.returncode == 1
    assert "SettingsError" in done.stderr
    assert message in done.stderr


def black_hole() -> socket.socket:
    """A port that takes connections and never answers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    return listener


def refusing() -> str:
    """An endpoint at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("dead", ["refusing", "silent"])
def test_a_dead_collector_holds_up_the_exit_for_five_seconds_at_most(python, protocol: str, dead: str) -> None:
    """However dead the collector is, the program ends, with its own exit code (G12)."""
    with black_hole() as listener:
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
        program = (
            "import agent_otel, atexit, time\n"
            "agent_otel.configure()\n" + RUN + "start = time.monotonic()\n"
            "import os, sys\n"
            "atexit.register(lambda: None)\n"
            "print(time.time(), flush=True)\n"
            "sys.exit(7)"
        )
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": silent if dead == "silent" else refusing(),
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        }
        done = python(program, env=env)
        took = time.time() - float(done.stdout)
    assert done.returncode == 7, done.stderr
    assert took < 6.0, "five seconds, and the interpreter's own end"


def test_sigterm_sends_what_is_waiting(receiver: Receiver, tmp_path: Path) -> None:
    """The SDK flushes nothing on SIGTERM; we do, and the signal takes its course."""
    program = (
        "import agent_otel, threading\nagent_otel.configure()\n"
        + RUN
        + "print('ready', flush=True)\nthreading.Event().wait(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert "/v1/traces" in receiver.bodies


def test_a_sigterm_handler_of_the_application_is_left_alone(python) -> None:
    """Only the default is replaced."""
    done = python(
        "import signal, os, agent_otel\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('mine', flush=True))\n"
        "agent_otel.configure()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('still here')"
    )
    assert done.stdout.split("\n")[:2] == ["mine", "still here"], done.stderr


def test_limits_leave_room_for_whole_runs_unless_the_user_says_otherwise(python) -> None:
    """The SDK's 128 events drop the oldest first: the task. Where we own the provider there is room for thousands."""
    program = (
        "import agent_otel, sys\n"
        "telemetry = agent_otel.configure()\n"
        "with agent_otel.run('Fix') as run:\n"
        "    for number in range(1000):\n"
        "        run.risk(str(number))\n"
        "    print(len(run.span.events), run.span.dropped_events)"
    )
    assert python(program).stdout.split() == ["1001", "0"]
    limited = python(program, env={"OTEL_SPAN_EVENT_COUNT_LIMIT": "10"})
    assert limited.stdout.split() == ["10", "991"], limited.stderr


def test_importing_does_nothing(python) -> None:
    """No thread, no provider, no environment read; and no exporter or database driver is loaded."""
    done = python(
        "import sys, threading\n"
        "import agent_otel\n"
        "from opentelemetry import trace\n"
        "print(threading.active_count(), type(trace.get_tracer_provider()).__name__)\n"
        "heavy = ('sqlite3', 'grpc', 'requests', 'opentelemetry.sdk.trace', 'click')\n"
        "print([name for name in heavy if name in sys.modules])",
        env={"AGENT_OTEL_EVENTS": "nonsense that only configure reads"},
    )
    assert done.stdout.splitlines() == ["1 ProxyTracerProvider", "[]"], done.stderr
