"""A real processor brings the results of a pipeline, sent by OpenTelemetry's own exporter, to the run of its commit."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from agent_otel.cli.main import main
from agent_otel.model import names
from real.processor import Processor

COMMIT, TREE = "8f2c" * 10, "9d1c" * 10
WAIT_S = 90


def run(endpoint: str) -> None:
    """A run of the SDK's words that passed ``unit`` and committed what it changed."""
    known = {names.RUN_ID: "run-1"}
    check = {names.VERIFICATION_CHECK: "unit", names.VERIFICATION_OUTCOME: "pass"}
    changed = [json.dumps({"path": "a.py", "operation": "edit"})]
    final = {names.FINAL_COMMIT: COMMIT, names.FINAL_TREE: TREE, names.FINAL_DIRTY: False, names.CHANGED_FILES: changed}
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{endpoint}/v1/logs")))
    logger = provider.get_logger(names.SCOPE)
    for name, said in ((names.VERIFICATION_RAN, check), (names.RUN_FINISHED, final)):
        logger.emit(event_name=name, attributes={**known, **said}, timestamp=time.time_ns())
    provider.shutdown()


def pipeline(endpoint: str) -> None:
    """A pipeline as the conventions have it: a task with tests, and the commit in the resource."""
    about = {"cicd.pipeline.name": "CI", "cicd.pipeline.run.id": "77", names.VCS_REF_REVISION: COMMIT}
    provider = TracerProvider(resource=Resource(about))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    tracer = provider.get_tracer("otel-cicd")
    with tracer.start_as_current_span("RUN CI", kind=SpanKind.SERVER) as whole:
        with tracer.start_as_current_span("RUN unit", attributes={names.CICD_TASK_NAME: "unit"}) as task:
            for name, status in (("a", "pass"), ("b", "fail")):
                with tracer.start_as_current_span(name, attributes={names.TEST_SUITE_NAME: "tests.unit"}) as test:
                    test.set_attributes({names.TEST_CASE_NAME: name, names.TEST_CASE_STATUS: status})
            task.set_attribute(names.CICD_TASK_RESULT, "failure")
        whole.set_attribute(names.CICD_PIPELINE_RESULT, "failure")
    provider.shutdown()


def runs(endpoint: str) -> list[dict[str, Any]]:
    """The records that the processor has."""
    with urllib.request.urlopen(f"{endpoint}/api/runs", timeout=10) as reply:
        found: list[dict[str, Any]] = json.load(reply)["runs"]
        return found


def added(endpoint: str) -> dict[str, str]:
    """The checks that were added to the only run, and what they are worth."""
    return {
        check["check"]: check["verdict"]
        for record in runs(endpoint)
        for check in record["verifications"]
        if "added" in check
    }


@pytest.mark.parametrize("order", [(run, pipeline), (pipeline, run)], ids=["the run first", "the pipeline first"])
def test_a_pipeline_finds_its_run(tmp_path: Path, order: Any) -> None:
    """Each task and each suite is evidence; the pipeline makes no run of its own."""
    processor = Processor(db=str(tmp_path / "runs.db"), log=tmp_path / "log")
    try:
        for send in order:
            send(processor.http)
        until = time.monotonic() + WAIT_S
        while added(processor.http) != {"unit": "failed", "tests.unit": "failed"}:
            assert time.monotonic() < until, runs(processor.http)
            time.sleep(0.2)
        (record,) = runs(processor.http)
    finally:
        processor.stop()
    assert record["run_id"] == "run-1"
    assert "post-handoff-regression" in {finding["rule"] for finding in record["findings"]}
    (suite,) = [check for check in record["verifications"] if check["check"] == "tests.unit"]
    assert suite["counts"] == {"passed": 1, "failed": 1}
    assert (suite["added"]["by"], suite["added"]["failing"]) == ("CI", ["b"])


@pytest.mark.parametrize("order", ["the run first", "the word first"])
def test_what_a_reviewer_caught_finds_its_run(tmp_path: Path, order: str) -> None:
    """Sent by the command to the processor, before the run or after it."""
    processor = Processor(db=str(tmp_path / "runs.db"), log=tmp_path / "log")
    mark = ("near-miss", "run-1", "--caught-by", "ada", "--what", "no limit", "--endpoint", processor.http)
    steps = [lambda: run(processor.http), lambda: CliRunner().invoke(main, mark, catch_exceptions=False)]
    try:
        for step in steps if order == "the run first" else reversed(steps):
            step()
        until = time.monotonic() + WAIT_S
        while [each["what"] for record in runs(processor.http) for each in record["near_misses"]] != ["no limit"]:
            assert time.monotonic() < until, runs(processor.http)
            time.sleep(0.2)
        (record,) = runs(processor.http)
    finally:
        processor.stop()
    assert (record["run_id"], record["near_misses"][0]["caught_by"]) == ("run-1", "ada")
