"""The trace backends that tests run against are real ones, which keep what they took."""

from __future__ import annotations

import json
import time

import pytest

from collector_config.agents import send
from real.jaeger import Jaeger
from real.ports import wait_until
from real.tempo import Tempo

TRACE = "5a1f0000000000000000000000000001"


def request() -> bytes:
    """A request with one span, in OTLP/JSON."""
    now = time.time_ns()  # searches look at what is recent
    span = {
        "traceId": TRACE,
        "spanId": "00000000000000a1",
        "name": "execute_tool look",
        "startTimeUnixNano": str(now - 1_000_000_000),
        "endTimeUnixNano": str(now),
    }
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "looker"}}]}
    return json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}).encode()


def found(backend: Jaeger | Tempo) -> int:
    """How many traces a search finds."""
    if isinstance(backend, Jaeger):
        return len(backend.traces("looker"))
    return len(backend.search('{ resource.service.name = "looker" }'))


@pytest.mark.parametrize("kind", [Jaeger, Tempo])
def test_a_backend_keeps_what_it_took(kind, tmp_path):
    """A trace is found by its id and by a search, also after a kill; one that never came is not."""
    backend = kind(tmp_path)
    try:
        send(f"{backend.http}/v1/traces", request())
        # Jaeger has written before it answers; Tempo writes when a trace was silent for a while, before it is searched.
        assert kind is Tempo or backend.trace(TRACE)
        wait_until(lambda: found(backend) == 1, what="a search that finds it")
        backend.program.kill()
        backend.program.start()
        wait_until(lambda: backend.trace(TRACE), what="the trace")
        assert [each.get("operationName") or each["name"] for each in backend.trace(TRACE)] == ["execute_tool look"]
        assert backend.trace("5a1f0000000000000000000000000002") == []
    finally:
        backend.program.kill()
