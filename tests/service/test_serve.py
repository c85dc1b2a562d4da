"""The whole processor, as a process: what exporters send is in the store, and it ends well."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from agent_otel.store.open import open_store

PROTOBUF = {"content-type": "application/x-protobuf"}
TLS = Path(__file__).parents[1] / "data" / "tls"
TOKEN, NEXT = "first-token-0123456789", "other-token-0123456789"

EXPORTERS: dict[str, Callable[[Any], SpanExporter]] = {
    "http": lambda at: HttpSpans(endpoint=f"{at.http}/v1/traces"),
    "http-gzip": lambda at: HttpSpans(endpoint=f"{at.http}/v1/traces", compression=Compression.Gzip),
    "grpc": lambda at: GrpcSpans(endpoint=f"http://{at.grpc}", insecure=True),
    "grpc-gzip": lambda at: GrpcSpans(endpoint=f"http://{at.grpc}", insecure=True, compression=grpc.Compression.Gzip),
}


def spans(*ids: int, trace: int = 1) -> bytes:
    """A request with a span for each id."""
    made = [Span(trace_id=trace.to_bytes(16, "big"), span_id=each.to_bytes(8, "big"), name="work") for each in ids]
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=made)])]
    ).SerializeToString()


def ask(at: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    connection = http.client.HTTPConnection(urlsplit(at).netloc, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def wait_for(condition: Callable[[], Any]) -> Any:
    """Looks again and again, for some seconds; what was found."""
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    return found


@pytest.mark.parametrize("kind", EXPORTERS)
def test_what_an_exporter_was_told_is_kept_is_kept(processor, kind):
    """The official exporters of Python deliver; the items are in the database when they are told so."""
    exporter = EXPORTERS[kind](processor)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("invoke_agent test"):
        pass
    store = open_store(processor.db)
    assert store.stats().items == 1
    store.close()
    assert exporter.export([]) is SpanExportResult.SUCCESS
    provider.shutdown()
    assert processor.stop() == 0


def test_what_comes_is_folded_and_can_be_read(processor):
    """Spans go in at ``/v1/traces``, and come out as a record at ``/api/runs``, counted at ``/metrics``."""
    run = Span(trace_id=b"\1" * 16, span_id=b"\1" * 8, name="invoke_agent fixer", end_time_unix_nano=1)
    run.attributes.add(key="gen_ai.operation.name").value.string_value = "invoke_agent"
    run.attributes.add(key="gen_ai.agent.name").value.string_value = "fixer"
    block = ResourceSpans(scope_spans=[ScopeSpans(spans=[run])])
    body = ExportTraceServiceRequest(resource_spans=[block]).SerializeToString()
    assert ask(processor.http, "POST", "/v1/traces", body, PROTOBUF)[0] == 200
    (record,) = wait_for(lambda: json.loads(ask(processor.http, "GET", "/api/runs")[1])["runs"])
    assert record["agent"]["name"] == "fixer"
    metrics = wait_for(
        lambda: b"agent_otel_processor_folded_total 1.0" in (text := ask(processor.http, "GET", "/metrics")[1]) and text
    )
    assert b'agent_otel_processor_items_stored_total{signal="span"} 1.0' in metrics
    assert ask(processor.http, "GET", "/readyz")[0] == 200


class Load:
    """Sends requests on several connections until told to stop, and remembers which were acknowledged."""

    def __init__(self, processor: Any, *, senders: int = 4) -> None:
        self._at = urlsplit(processor.http).netloc
        self.acknowledged: set[str] = set()
        self.statuses: set[int] = set()
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(senders)]
        for thread in self._threads:
            thread.start()

    def _send(self, sender: int) -> None:
        for number in range(100_000):
            if self.over.is_set():
                return
            trace = (sender + 1) * 1_000_000 + number
            try:
                status, _ = ask(f"http://{self._at}", "POST", "/v1/traces", spans(*range(1, 51), trace=trace), PROTOBUF)
            except (OSError, http.client.HTTPException):
                self.over.wait(0.01)
                continue
            self.statuses.add(status)
            if status == 200:
                self.acknowledged.add(f"{trace:032x}")

    def stop(self) -> None:
        """No more."""
        self.over.set()
        for thread in self._threads:
            thread.join(30)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_that_was_acknowledged_is_lost(serve, end):
    """Under load, ended well or killed: stored ⊇ acknowledged; asked to end, it does so with 0 within ten seconds."""
    processor = serve("--workers", "0")
    load = Load(processor)
    wait_for(lambda: len(load.acknowledged) > 50)
    began = time.monotonic()
    processor.process.send_signal(end)
    code = processor.process.wait(20)
    assert time.monotonic() - began < 10
    load.stop()
    assert code == (-end if end == signal.SIGKILL else 0)
    assert load.statuses <= {200, 503}
    with closing(sqlite3.connect(processor.db)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = dict(database.execute("SELECT substr(key, 1, 32), count(*) FROM items GROUP BY 1"))
    assert dict.fromkeys(load.acknowledged, 50).items() <= kept.items()
    # And it goes on from there.
    again = serve("--workers", "0")
    assert f"store_items {float(sum(kept.values()))}".encode() in ask(again.http, "GET", "/metrics")[1]


def test_a_second_signal_ends_it_at_once(serve):
    """Whatever it waits for: here, a sender that never finishes."""
    processor = serve("--workers", "0")
    connection = http.client.HTTPConnection(urlsplit(processor.http).netloc, timeout=30)
    connection.putrequest("POST", "/v1/traces")
    connection.putheader("content-type", "application/x-protobuf")
    connection.putheader("content-length", "100")
    connection.endheaders()
    wait_for(lambda: b"in_flight_bytes 0.0" not in ask(processor.http, "GET", "/metrics")[1])
    processor.process.send_signal(signal.SIGTERM)
    wait_for(lambda: '"ending"' in processor.log())
    processor.process.send_signal(signal.SIGTERM)
    assert processor.process.wait(3) == 128 + signal.SIGTERM
    connection.close()


def test_who_never_finishes_is_told_to_come_back(serve):
    """At the end of its time the processor answers 503, and ends; a request that arrived in time is taken."""
    processor = serve("--workers", "0", "--drain-s", "2")
    slow, late = (http.client.HTTPConnection(urlsplit(processor.http).netloc, timeout=30) for _ in range(2))
    body = spans(1)
    for connection in (slow, late):
        connection.putrequest("POST", "/v1/traces")
        connection.putheader("content-type", "application/x-protobuf")
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body[:5])
    wait_for(
        lambda: f"in_flight_bytes {2.0 * (16384 + len(body))}".encode() in ask(processor.http, "GET", "/metrics")[1]
    )
    processor.process.send_signal(signal.SIGTERM)
    wait_for(lambda: '"ending"' in processor.log())
    late.send(body[5:])
    assert late.getresponse().status == 200
    answer = slow.getresponse()
    assert (answer.status, answer.getheader("retry-after")) == (503, "1")
    assert processor.process.wait(10) == 0
    slow.close()
    late.close()


def test_its_processes_end_with_it(serve):
    """Ended well or killed, no folding process stays behind."""
    for end in (signal.SIGTERM, signal.SIGKILL):
        processor = serve("--workers", "2")
        children = wait_for(lambda processor=processor: children_of(processor.pid))
        processor.process.send_signal(end)
        processor.process.wait(15)
        wait_for(lambda children=children: not any(alive(each) for each in children))


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
        return [int(each) for each in listed.stdout.split()]


def alive(pid: int) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


@pytest.mark.parametrize("reload", ["hangup", "by itself"])
def test_tokens_are_replaced_without_a_restart(serve, tmp_path, reload):
    """A new token in the file lets in, the old one does not any more; what is no token changes nothing."""
    file = tmp_path / "tokens"
    file.write_text(TOKEN)
    processor = serve("--token-file", str(file), "--workers", "0")

    def status(token: str) -> int:
        return ask(processor.http, "GET", "/api/runs", headers={"authorization": f"Bearer {token}"})[0]

    assert (status(TOKEN), status(NEXT)) == (200, 401)
    file.write_text(f"{NEXT}\n")
    if reload == "hangup":
        processor.process.send_signal(signal.SIGHUP)
    wait_for(lambda: status(NEXT) == 200)
    assert status(TOKEN) == 401
    file.write_text("short")
    processor.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "those known before stay" in processor.log())
    assert status(NEXT) == 200
    assert TOKEN not in processor.log()
    assert NEXT not in processor.log()


def test_certificates_are_asked_for_on_both_listeners(serve, monkeypatch):
    """TLS with an authority for clients: whoever has none of its certificates gets nowhere."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # would be believed instead of what the exporter is given
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    tls = ("--tls-certificate", "server.pem", "--tls-key", "server.key", "--tls-client-ca", "authority.pem")
    processor = serve(*(each if each.startswith("--") else str(TLS / each) for each in tls), "--workers", "0")
    assert processor.http.startswith("https://")
    pem = {name: str(TLS / f"{name}.pem") for name in ("authority", "client", "stranger")}
    keys = {name: str(TLS / f"{name}.key") for name in ("client", "stranger")}
    good: dict[str, SpanExporter] = {
        "http": HttpSpans(
            endpoint=f"{processor.http}/v1/traces",
            certificate_file=pem["authority"],
            client_certificate_file=pem["client"],
            client_key_file=keys["client"],
        ),
        "grpc": GrpcSpans(endpoint=f"https://{processor.grpc}", credentials=credentials("client")),
    }
    bad: dict[str, SpanExporter] = {
        "http": HttpSpans(endpoint=f"{processor.http}/v1/traces", certificate_file=pem["authority"], timeout=1),
        "http-stranger": HttpSpans(
            endpoint=f"{processor.http}/v1/traces",
            certificate_file=pem["authority"],
            client_certificate_file=pem["stranger"],
            client_key_file=keys["stranger"],
            timeout=1,
        ),
        "grpc": GrpcSpans(endpoint=f"https://{processor.grpc}", credentials=credentials(None), timeout=1),
    }
    provider = TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("test").start_span("work")
    span.end()
    for name, exporter in good.items():
        assert exporter.export([span]) is SpanExportResult.SUCCESS, name
        exporter.shutdown()
    for name, exporter in bad.items():
        assert exporter.export([span]) is SpanExportResult.FAILURE, name
        exporter.shutdown()
    provider.shutdown()


def credentials(name: str | None) -> grpc.ChannelCredentials:
    """Those of a client; of one without certificate for None."""
    authority = (TLS / "authority.pem").read_bytes()
    if name is None:
        return grpc.ssl_channel_credentials(authority)
    return grpc.ssl_channel_credentials(
        authority, (TLS / f"{name}.key").read_bytes(), (TLS / f"{name}.pem").read_bytes()
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--http", "0.0.0.0:0"), 2, "can be reached from other machines"),
        (("--grpc", "[::]:0"), 2, "can be reached from other machines"),
        (("--http", "nowhere"), 2, "http: expected host:port or off"),
        (("--http", "off", "--grpc", "off"), 2, "nothing would be received"),
        (("--token-file", "/nowhere/tokens"), 2, "cannot read the tokens in /nowhere/tokens"),
        (("--tls-certificate", "x.pem"), 2, "come together"),
        (("--tls-certificate", "/nowhere/x", "--tls-key", "/nowhere/y"), 2, "cannot be used"),
        (("--workers", "x"), 2, "expected a whole number, got 'x'"),
        (("--in-flight-mib", "1"), 2, "must be at least 64"),
        (("--db", "mysql://x/y"), 2, "no database is opened by"),
        (("--db", "/proc/nowhere/runs.db"), 1, "/proc/nowhere"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(tmp_path, arguments, code, message):
    """One line on standard error, 2 for misuse and 1 for failure; nothing listens."""
    given = ["--db", str(tmp_path / "runs.db"), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", *arguments]
    done = run("serve", *given)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_named(serve, tmp_path):
    """And the processes that were started are ended."""
    first = serve("--workers", "0")
    for option, where in (("--http", urlsplit(first.http).netloc), ("--grpc", first.grpc)):
        other = {"--http": "--grpc", "--grpc": "--http"}[option]
        done = run("serve", "--db", str(tmp_path / "x.db"), option, where, other, "off", "--workers", "1")
        assert (done.returncode, where in done.stderr) == (1, True)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    command = [sys.executable, "-m", "agent_otel", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_without_its_extra_the_command_says_what_to_install(python):
    """In one line."""
    done = python(
        "import sys; sys.modules['uvicorn'] = None\n"
        "from agent_otel.cli.main import main\n"
        "main(['serve', '--http', '127.0.0.1:0'])"
    )
    assert done.returncode == 1
    assert done.stderr == (
        """Error: The processor needs 'uvicorn'. Install it with: pip install "agent-otel[processor]"\n"""
    )


def test_people_are_told_where_it_listens(tmp_path):
    """One line of text, or of JSON for programs; the settings come from the file, the environment, the flags."""
    config = tmp_path / "processor.toml"
    file = tmp_path / "from-file.db"
    config.write_text(f'[processor]\ndb = "{file}"\nhttp = "off"\nworkers = 0\nlog_level = "error"\n')
    command = [sys.executable, "-m", "agent_otel", "serve", "--config", str(config), "--grpc", "127.0.0.1:0"]
    env = {**os.environ, "AGENT_OTEL_DB": str(tmp_path / "from-environment.db")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert said.startswith("agent-otel: OTLP/gRPC on 127.0.0.1:")
    assert said.endswith(f"records in {env['AGENT_OTEL_DB']}\n")
    assert (process.returncode, errors) == (0, "")
    assert not file.exists()


def run_span(name: str, *, ended: bool) -> bytes:
    """A request with the root span of an agent's run."""
    span = Span(trace_id=b"\1" * 16, span_id=b"\1" * 8, name=f"invoke_agent {name}", start_time_unix_nano=1)
    span.end_time_unix_nano = 2 if ended else 0
    for key, value in {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}.items():
        span.attributes.add(key=key).value.string_value = value
    block = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    return ExportTraceServiceRequest(resource_spans=[block]).SerializeToString()


def records(processor: Any) -> list[Any]:
    """What the API lists."""
    return json.loads(ask(processor.http, "GET", "/api/runs")[1])["runs"]


def test_records_are_passed_on_and_old_items_removed(serve, tmp_path):
    """As settings say: each revision is a line of a file; what is older than so many days goes, the record stays."""
    file = tmp_path / "records.jsonl"
    processor = serve("--emit-file", str(file), "--debounce-s", "0")
    assert ask(processor.http, "POST", "/v1/traces", run_span("fixer", ended=True), PROTOBUF)[0] == 200
    line = wait_for(lambda: file.exists() and file.read_text())
    assert json.loads(line)["agent"]["name"] == "fixer"
    wait_for(lambda: b"emitted_total 1.0" in ask(processor.http, "GET", "/metrics")[1])
    assert processor.stop() == 0
    processor = serve("--retention-days", "0.0000001")
    store = open_store(processor.db)
    wait_for(lambda: store.stats().items == 0)
    store.close()
    assert [each["agent"]["name"] for each in records(processor)] == ["fixer"]


def test_silence_ends_a_run_that_has_no_end(serve):
    """After as many seconds as the settings say, and not before it was looked at."""
    processor = serve("--debounce-s", "0", "--abandoned-after-s", "1")
    assert ask(processor.http, "POST", "/v1/traces", run_span("fixer", ended=False), PROTOBUF)[0] == 200
    wait_for(lambda: [each["lifecycle"] for each in records(processor)] == ["abandoned"])


def test_a_connection_that_nobody_uses_is_closed(serve):
    """After the time that the settings say."""
    processor = serve("--idle-timeout-s", "1", "--workers", "0")
    connection = http.client.HTTPConnection(urlsplit(processor.http).netloc, timeout=20)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b'{"status":"alive"}'
    assert connection.sock.recv(1) == b""
    connection.close()
