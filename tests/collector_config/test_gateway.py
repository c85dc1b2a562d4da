"""``gateway.yaml``: tokens over TLS, several processors, nothing lost when one of them or the collector is killed."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import agent_spans
import pytest

from collector_config.agents import stored
from real.configured import Configured
from real.documents import documents_in, documents_of, items_in
from real.jaeger import Jaeger
from real.ports import wait_until
from real.processor import Processor

TLS = Path(__file__).parents[1] / "data" / "tls"
RUNS, SPANS = 40, 20


class Client:
    """An agent that trusts the test authority and may have a token."""

    def __init__(self, collector: Configured, token: str) -> None:
        self._url = f"{collector.http.replace('http:', 'https:')}/v1/traces"
        self._headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {token}"}
        self._trust = ssl.create_default_context(cafile=str(TLS / "authority.pem"))

    def once(self, body: bytes) -> int:
        """The answer to a request."""
        try:
            with urlopen(Request(self._url, body, self._headers), timeout=30, context=self._trust) as reply:
                return int(reply.status)
        except HTTPError as exc:
            return exc.code

    def until_taken(self, body: bytes) -> None:
        """Sends it as exporters do, again and again until it is acknowledged."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.once(body) == 200:
                    return
            except (URLError, OSError):
                pass  # the collector is away
            time.sleep(0.05)
        pytest.fail("it was not taken within a minute")


@pytest.fixture
def tokens(tmp_path) -> dict[str, str]:
    """Tokens by whom they are for; each is in a file of that name."""
    found = {"agents": "fake-token-of-an-agent", "processors": "fake-token-of-a-processor"}
    for name, token in found.items():
        (tmp_path / name).write_text(f"{token}\n")
    return found


@pytest.fixture
def processor(tmp_path, tokens):
    """Starts processors that share a database, speak TLS and ask for a token; where is ``host:port``."""
    started: list[Processor] = []

    def start(where: str = "127.0.0.1:0") -> Processor:
        arguments = ("--tls-certificate", TLS / "server.pem", "--tls-key", TLS / "server.key", "--grpc", where)
        log = tmp_path / f"processor-{len(started)}.log"
        secured = (*map(str, arguments), "--token-file", str(tmp_path / "processors"))
        started.append(Processor(*secured, db=str(tmp_path / "runs.db"), log=log))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


@pytest.fixture
def gateway(run, tmp_path, processor):
    """The collector, before two processors and a backend: (collector, processors, backend)."""
    processors = [processor(), processor()]
    jaeger = run(Jaeger, tmp_path / "jaeger")
    env = {
        "OTELCOL_TOKEN_FILE": str(tmp_path / "agents"),
        "OTELCOL_PROCESSOR_TOKEN_FILE": str(tmp_path / "processors"),
        "OTELCOL_TLS_CERTIFICATE": str(TLS / "server.pem"),
        "OTELCOL_TLS_KEY": str(TLS / "server.key"),
        "AGENT_OTEL_CA": str(TLS / "authority.pem"),
        "AGENT_OTEL_PROCESSORS": f"[{', '.join(each.grpc for each in processors)}]",
        "OTELCOL_BACKEND": jaeger.grpc,
        "OTELCOL_BACKEND_INSECURE": "true",
        "OTELCOL_METRICS_PORT": "0",
    }
    return run(Configured, tmp_path / "collector", "gateway.yaml", env=env), processors, jaeger


def test_only_who_has_a_token_comes_in(gateway, tokens):
    """Not without one, and not with that of the other side."""
    collector, *_ = gateway
    body = next(agent_spans.requests(runs=1, spans=2))
    assert Client(collector, tokens["agents"]).once(body) == 200
    assert Client(collector, tokens["processors"]).once(body) == 401
    with pytest.raises(OSError):  # noqa: PT011 - whichever way the connection breaks
        urlopen(Request(f"{collector.http}/v1/traces", body), timeout=10)


def test_processors_share_the_load_and_lose_nothing(gateway, processor, tokens, tmp_path):
    """Every span is stored once, and both took some, though one processor and the collector were killed on the way."""
    collector, processors, jaeger = gateway
    client = Client(collector, tokens["agents"])
    bodies = list(agent_spans.requests(runs=RUNS, spans=SPANS, batch=20, size=400))
    for number, body in enumerate(bodies):
        client.until_taken(body)
        if number == len(bodies) // 4:
            processors[0].kill()
        if number == len(bodies) // 2:
            collector.program.kill()
            collector.program.start()
    back = processor(processors[0].grpc)
    db = str(tmp_path / "runs.db")
    wait_until(lambda: items_in(db) == RUNS * SPANS, what=f"all spans: {collector.program.log()[-2000:]}", timeout_s=90)
    wait_until(
        lambda: sum(len(jaeger.trace(agent_spans.trace_id(each).hex())) for each in range(RUNS)) == RUNS * SPANS,
        what="all spans in Jaeger",
    )
    wanted = documents_of(bodies)
    wait_until(lambda: documents_in(db) == wanted, what="their records")
    trust = ssl.create_default_context(cafile=str(TLS / "authority.pem"))
    shares = [stored(each, tokens["processors"], trust) for each in (processors[1], back)]
    assert min(shares) > RUNS * SPANS / 10
