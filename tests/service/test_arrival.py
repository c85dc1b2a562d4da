"""Secrets that other instrumentations send never reach the database, whichever way they come."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path

import pytest
import requests
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from agent_otel.store.open import open_store
from real.ports import wait_until

CANARY = "ghp" + "_" + "Fake1" * 8
"""Looks like a token of GitHub, and is none."""

LINE = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "scope": {"name": "some.agent"},
                    "spans": [
                        {
                            "traceId": "0102030405060708090a0b0c0d0e0f10",
                            "spanId": "0102030405060708",
                            "name": "execute_tool shell",
                            "startTimeUnixNano": "1",
                            "endTimeUnixNano": "2",
                            "attributes": [
                                {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}},
                                {"key": "gen_ai.tool.name", "value": {"stringValue": "shell"}},
                                {"key": "gen_ai.tool.call.arguments", "value": {"stringValue": f"push {CANARY}"}},
                            ],
                        }
                    ],
                }
            ]
        }
    ]
}


def kept(database: Path) -> bytes:
    """Everything that is on the disk of a database."""
    return b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))


def send(exporter) -> None:
    """Sends one span with a secret."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("some.agent").start_as_current_span("execute_tool shell") as span:
        span.set_attribute("gen_ai.tool.call.arguments", f"git push https://x:{CANARY}@example.com")
        span.set_attribute("gen_ai.operation.name", "execute_tool")
    provider.shutdown()


SENDERS = {
    "http": lambda server: send(HttpExporter(f"{server.http}/v1/traces")),
    "grpc": lambda server: send(GrpcExporter(f"http://{server.grpc}")),
    "json": lambda server: requests.post(f"{server.http}/v1/traces", json=LINE, timeout=10).raise_for_status(),
}


@pytest.mark.parametrize("sender", SENDERS)
def test_a_processor_masks_what_arrives(serve, tmp_path, sender):
    """No byte of the secret is kept, and the record counts it."""
    server = serve()
    SENDERS[sender](server)
    with closing(open_store(server.db)) as store:
        wait_until(store.records)
        (record,) = store.records()
    assert record.capture.redactions == 1
    assert server.stop() == 0
    assert CANARY.encode() not in kept(tmp_path / "runs.db")


def test_a_processor_may_be_told_not_to(serve, tmp_path):
    """Where somebody else masks, and the telemetry is to be kept as it came."""
    server = serve(env={"AGENT_OTEL_REDACT": "false"})
    SENDERS["http"](server)
    assert server.stop() == 0
    assert CANARY.encode() in kept(tmp_path / "runs.db")


def test_marks_can_be_correlated(serve):
    """With a key, equal secrets have equal marks; without one a mark says nothing but what it was."""
    server = serve(env={"AGENT_OTEL_REDACTION_KEY": "correlate"})
    SENDERS["http"](server)
    SENDERS["json"](server)
    with closing(open_store(server.db)) as store:
        wait_until(lambda: len(store.records()) == 2)
        raw = [item.raw for record in store.records() for item in store.run_items(record.run_id)]
    marks = {each[each.index(b"[REDACTED:") : each.index(b"]", each.index(b"[REDACTED:"))] for each in raw}
    assert len(raw) == 2
    assert len(marks) == 1
    assert marks.pop().count(b":") == 2


@pytest.mark.parametrize(("redact", "kept_secrets"), [("", False), ("false", True)], ids=["masked", "left"])
def test_files_are_masked_as_they_are_read(tmp_path, python, redact, kept_secrets):
    """``agent-otel compact`` keeps no secret either, by the same settings."""
    (tmp_path / "traces.jsonl.gz").write_bytes(gzip.compress(json.dumps(LINE).encode()))
    done = python(
        "from agent_otel.cli.main import main; main(['compact', 'traces.jsonl.gz', '--db', 'x.db', '--json'])",
        env={"AGENT_OTEL_REDACT": redact},
    )
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert record["capture"]["redactions"] == (0 if kept_secrets else 1)
    assert (CANARY.encode() in kept(tmp_path / "x.db")) is kept_secrets


def test_other_instrumentations_in_the_same_program_are_masked(tmp_path, python):
    """What they put on spans of the one provider is masked on its way into the embedded store."""
    done = python(
        "import agent_otel\n"
        "from opentelemetry import trace\n"
        "agent_otel.configure()\n"
        "with agent_otel.run('Fix it', id='run-1'):\n"
        "    with trace.get_tracer('some.client').start_as_current_span('chat') as span:\n"
        f"        span.set_attribute('gen_ai.input.messages', 'use ' + {CANARY!r})\n",
        env={"AGENT_OTEL_DB": str(tmp_path / "runs.db")},
    )
    assert done.returncode == 0, done.stderr
    with closing(open_store(tmp_path / "runs.db")) as store:
        record = store.record("run-1")
    assert record is not None
    assert record.capture.redactions == 1
    assert CANARY.encode() not in kept(tmp_path / "runs.db")
