"""The read API where it is served: what HTTP servers do to paths, heads, tags and tokens on the way."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from agent_otel.model import names
from agent_otel.otlp.lines import items_from_line
from real.processor import Processor

TLS = Path(__file__).parents[1] / "data" / "tls"
ODD_IDS = ["a/b", "..", "a/../b", "50%", "%2F", "__proto__", "ä b", "a?b#c", "x/items", "\x01", "a\\b", "//"]
TOKEN = "a-token-of-the-tests"
START_NS = 1_779_095_523_000_000_000
PATIENCE_S = 30


class Answer(NamedTuple):
    """A reply."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(processor: Processor, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """Sends a request line as it is given: no client makes it nicer."""
    connection = http.client.HTTPConnection(urlsplit(processor.http).netloc, timeout=30)
    named = {"authorization": f"Bearer {TOKEN}", **{name.replace("_", "-"): each for name, each in headers.items()}}
    connection.request(method, target, body, named)
    reply = connection.getresponse()
    answer = Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    connection.close()
    return answer


def request(*run_ids: str) -> bytes:
    """An OTLP/JSON request with a run of each id."""
    spans = [
        {
            "traceId": f"{number:032x}",
            "spanId": f"{number:016x}",
            "name": "invoke_agent fixer",
            "startTimeUnixNano": str(START_NS + number),
            "endTimeUnixNano": str(START_NS + number + 10**9),
            "attributes": [
                {"key": names.OPERATION_NAME, "value": {"stringValue": names.INVOKE_AGENT}},
                {"key": names.RUN_ID, "value": {"stringValue": run_id}},
                {"key": names.RUN_OUTCOME, "value": {"stringValue": "ended"}},
            ],
        }
        for number, run_id in enumerate(run_ids, start=1)
    ]
    scope = {"scope": {"name": names.SCOPE}, "spans": spans}
    return json.dumps({"resourceSpans": [{"scopeSpans": [scope]}]}).encode()


@pytest.fixture
def processor(serve: Callable[..., Processor]) -> Processor:
    """A processor that asks for a token, and has folded a run of each odd id."""
    started = serve("--debounce-s", "0", env={"AGENT_OTEL_TOKENS": TOKEN})
    assert ask(started, "/v1/traces", "POST", request(*ODD_IDS), content_type="application/json").status == 200
    ends_s = time.monotonic() + PATIENCE_S
    while len(json.loads(ask(started, "/api/runs").body)["runs"]) < len(ODD_IDS):
        assert time.monotonic() < ends_s
        threading.Event().wait(0.05)
    return started


def test_the_api_is_served(processor: Processor) -> None:
    """Ids arrive as sent, HEAD has no body, tags spare one, items are read back, and a token is asked for."""
    for run_id in ODD_IDS:
        target = f"/api/runs/{quote(run_id, safe='')}"
        whole = ask(processor, target)
        assert (whole.status, json.loads(whole.body)["run_id"]) == (200, run_id)
        assert (whole.headers["x-content-type-options"], whole.headers["cache-control"]) == (
            "nosniff",
            "private, no-cache",
        )
        head = ask(processor, target, "HEAD")
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(whole.body)))
        known = ask(processor, target, if_none_match=whole.headers["etag"])
        assert (known.status, known.body) == (304, b"")
        assert "content-length" not in known.headers
        (item,) = items_from_line(ask(processor, f"{target}/items").body).items
        assert run_id.encode() in item.raw
    for target in (
        "/api/runs",
        "/api/runs/x",
        "/api/openapi.json",
        "/api/",
        "//api/runs",
        "/api/runs/",
        "/api/nothing",
    ):
        for method in ("GET", "HEAD", "POST"):
            assert ask(processor, target, method, authorization="").status == 401
    refused = ask(processor, "/api/runs?limit=no")
    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")
    assert ask(processor, "/api/runs/nobody").status == 404
    assert ask(processor, "/api/runs", "DELETE").status == 405


def test_the_commands_read_it_over_tls(serve: Callable[..., Processor]) -> None:
    """Whom to trust and what to show stands where the exporters have it."""
    files = ("--tls-certificate", "server.pem", "--tls-key", "server.key", "--tls-client-ca", "authority.pem")
    processor = serve(*(each if each.startswith("--") else str(TLS / each) for each in files), "--workers", "0")

    def run(**names: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "agent_otel", "runs", "--url", processor.http]
        environment = {f"OTEL_EXPORTER_OTLP_{name}": str(TLS / file) for name, file in names.items()}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
        )
        return done.returncode, done.stdout, done.stderr

    known = {"CERTIFICATE": "authority.pem", "CLIENT_CERTIFICATE": "client.pem", "CLIENT_KEY": "client.key"}
    assert run(**known) == (0, "no runs\n", "")
    for wrong, message in (
        ({}, "certificate verify failed"),
        ({"CERTIFICATE": "authority.pem"}, "does not answer"),
        ({**known, "CLIENT_CERTIFICATE": "stranger.pem", "CLIENT_KEY": "stranger.key"}, "does not answer"),
        ({**known, "CLIENT_KEY": "nowhere.key"}, "nowhere.key"),
        ({"CERTIFICATE": "nowhere.pem"}, "nowhere.pem"),
    ):
        code, output, told = run(**wrong)
        assert (code, output) == (1, ""), told
        assert message in told
        assert "Traceback" not in told


def test_the_commands_read_it(processor: Processor) -> None:
    """``--url`` and ``AGENT_OTEL_TOKEN`` are all that is needed."""

    def run(*arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agent_otel", *arguments, "--url", processor.http]
        environment = {"AGENT_OTEL_TOKEN": token}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
        )

    listed = run("export", "--jsonl").stdout.splitlines()
    assert [json.loads(line)["run_id"] for line in listed] == sorted(ODD_IDS)
    for run_id in ODD_IDS:
        assert json.loads(run("show", run_id, "--json").stdout)["run_id"] == run_id
    refused = run("runs", token="another-token")
    assert (refused.returncode, "does not know this token" in refused.stderr) == (2, True)
    assert "asks for a token" in run("runs", token="").stderr
