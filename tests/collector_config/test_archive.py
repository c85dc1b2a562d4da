"""``archive.yaml``: files from which ``agent-otel compact`` makes the same records; and ``redaction.yaml`` over it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import agent_spans
import pytest

from collector_config.agents import send
from fake_tokens import TOKENS, pem
from real.configured import Configured
from real.documents import documents_in, documents_of, items_in
from real.ports import wait_until

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def compact(folder: Path, db: Path) -> None:
    """Folds files into a database, as one would on another machine."""
    command = [sys.executable, "-m", "agent_otel", "compact", str(folder), "--db", str(db)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_files_hold_what_was_acknowledged(run, tmp_path):
    """Through rotation and a kill, and each span once."""
    archive = tmp_path / "archive"
    env = {"OTELCOL_ARCHIVE": str(archive), "OTELCOL_ARCHIVE_FILE_MIB": "1"}
    collector = run(Configured, tmp_path / "collector", "archive.yaml", env=env)
    bodies = list(agent_spans.requests(runs=30, spans=40, batch=50))
    for number, body in enumerate(bodies):
        send(f"{collector.http}/v1/traces", body, **PROTOBUF)
        if number == len(bodies) // 2:
            collector.program.kill()
            collector.program.start()
    assert len(list(archive.iterdir())) > 2
    compact(archive, tmp_path / "runs.db")
    assert items_in(str(tmp_path / "runs.db")) == 30 * 40
    assert documents_in(str(tmp_path / "runs.db")) == documents_of(bodies)


def attributes(**values: Any) -> list[dict[str, Any]]:
    """In OTLP/JSON; keys with ``__`` for dots."""
    kinds = {str: "stringValue", int: "intValue", list: "arrayValue"}
    return [
        {
            "key": key.replace("__", "."),
            "value": {
                kinds[type(value)]: {"values": [{"stringValue": each} for each in value]}
                if isinstance(value, list)
                else value
            },
        }
        for key, value in values.items()
    ]


def span(text: str) -> dict[str, Any]:
    """A request with one span that says it wherever one can."""
    made = {
        "traceId": "1" * 32,
        "spanId": "2" * 16,
        "name": f"execute_tool {text}",
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "2",
        "status": {"code": 2, "message": f"failed with {text}"},
        "attributes": attributes(process__command_args=["deploy", text], gen_ai__tool__call__result=f"said {text}"),
        "events": [{"timeUnixNano": "1", "name": "said", "attributes": attributes(said=f"it was {text}")}],
    }
    resource = {"attributes": attributes(service__name="leaky", told=f"see {text}")}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [made]}]}]}


def log(text: str) -> dict[str, Any]:
    """A request with two log records that say it in their bodies: as a text, and inside of a map."""
    inside = {"kvlistValue": {"values": attributes(said=f"deep {text}")}}
    records = [
        {"timeUnixNano": "1", "body": {"stringValue": f"body {text}"}, "attributes": attributes(said=f"it was {text}")},
        {"timeUnixNano": "1", "body": inside},
    ]
    resource = {"attributes": attributes(service__name="leaky")}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}


@pytest.fixture
def masked(run, tmp_path):
    """Sends texts through the overlay, and gives all that came out."""
    env = {"OTELCOL_ARCHIVE": str(tmp_path / "archive")}
    collector = run(Configured, tmp_path / "collector", "archive.yaml", "redaction.yaml", env=env)

    def sent(*texts: str) -> str:
        for text in texts:
            send(f"{collector.http}/v1/traces", json.dumps(span(text)).encode())
            send(f"{collector.http}/v1/logs", json.dumps(log(text)).encode())
        written = tmp_path / "archive" / "telemetry.jsonl"
        wait_until(
            lambda: written.exists() and len(written.read_text().splitlines()) == 2 * len(texts), what="the file"
        )
        return written.read_text()

    return sent


def test_secrets_of_every_format_are_masked(masked):
    """In attributes, lists, events, resources, bodies, names and status messages; what stands around them stays."""
    rng = random.Random(7)
    secrets = [make(rng) for make in TOKENS.values()] + [pem(rng)]
    written = masked(*secrets)
    leaked = [secret for secret in secrets for line in secret.splitlines()[:3] if json.dumps(line)[1:-1] in written]
    assert leaked == []
    assert written.count('"execute_tool ****"') == len(secrets)
    assert written.count('"failed with ****"') == len(secrets)
    assert written.count('"said ****"') == len(secrets)


def test_evidence_stays_as_it_is(masked):
    """What is no secret is not touched, lists are still lists, and nothing is left of how it is done."""
    innocent = ["pytest tests/test_auth.py -q", "8f2c19a7d3b1c0ffee8f2c19a7d3b1c0ffee8f2c", "task-1: 12 tokens"]
    for line, text in zip(masked(*innocent).splitlines()[::2], innocent, strict=True):
        assert said(json.loads(line)) == said(span(text))


def said(request: dict[str, Any]) -> list[Any]:
    """What a request with one span says of it, in all places."""
    (resource_spans,) = request["resourceSpans"]
    (made,) = resource_spans["scopeSpans"][0]["spans"]
    events = [event["attributes"] for event in made["events"]]
    return [made["name"], made["status"], made["attributes"], events, resource_spans["resource"]]
