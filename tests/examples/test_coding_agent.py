"""``examples/coding_agent``, as a program: what it prints, what it exports, and what is left when it is killed."""

import json
import signal
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.service.fold import END_OF_TIME_NS, fold_due
from agent_otel.store.sqlite import SqliteStore

STEPS = ["list_files", "read_file", "run_command", "read_file", "read_file", "edit_file", "run_command"]
STATUS_ERROR = 2


@pytest.fixture
def collector():
    """An OTLP receiver on loopback: its endpoint, and what it was sent as (path, body)."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def sent(received, path, request_type):
    """The spans or log records that were sent to ``path``, in the order of their time."""
    requests = [request_type.FromString(body) for where, body in received if where == path]
    if request_type is ExportTraceServiceRequest:
        found = [s for r in requests for one in r.resource_spans for scope in one.scope_spans for s in scope.spans]
        return sorted(found, key=lambda span: span.start_time_unix_nano)
    return [log for r in requests for one in r.resource_logs for scope in one.scope_logs for log in scope.log_records]


def attributes(span):
    """Its text attributes."""
    return {each.key: each.value.string_value for each in span.attributes}


def test_it_solves_its_task_and_keeps_its_promises(start, examples, tmp_path):
    """Exit code 0; fewer than 12 steps, within budget, nothing denied, every promise held."""
    done = start(examples / "coding_agent", "--workspace", tmp_path / "w", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["status"], report["halted"], report["differences"]) == ("solved", "", [])
    assert [step["tool"] for step in report["steps"]] == STEPS
    assert {step["outcome"] for step in report["steps"]} == {"ok"}
    assert len(report["steps"]) < 12
    assert report["observation_tokens"] <= report["observation_budget"]
    assert len(report["promises"]) == 5
    assert set(report["promises"].values()) == {True}


def test_every_step_has_its_span_in_otlp_and_in_json_lines(start, examples, tmp_path, collector):
    """The collector that the environment names and the file have the same spans, the steps right under the run."""
    endpoint, received = collector
    done = start(examples / "coding_agent", "--workspace", tmp_path / "w", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert (done.returncode, done.stderr) == (0, "")
    spans = sent(received, "/v1/traces", ExportTraceServiceRequest)
    (run,) = [span for span in spans if span.name == "invoke_agent fizz-fixer"]
    under = [span for span in spans if span.parent_span_id == run.span_id]
    assert [span.name for span in under] == [f"execute_tool {tool}" for tool in STEPS]
    lines = [json.loads(line) for line in (tmp_path / "w/traces.jsonl").read_text().splitlines()]
    in_file = [s for line in lines for one in line["resourceSpans"] for sc in one["scopeSpans"] for s in sc["spans"]]
    assert {span["spanId"] for span in in_file} == {span.span_id.hex() for span in spans}
    assert len(in_file) == len(spans)
    events = Counter(log.event_name for log in sent(received, "/v1/logs", ExportLogsServiceRequest))
    assert (events[names.FILE_READ], events[names.COMMAND_RUN], events[names.HANDOFF_WRITTEN]) == (3, 2, 1)


def test_prometheus_would_find_the_metrics(start, examples, tmp_path):
    """The exposition has the counter and the histogram by the names and the label that dashboards use."""
    start(examples / "coding_agent", "--workspace", tmp_path / "w")
    exposition = (tmp_path / "w/metrics.prom").read_text()
    assert 'tools_called_total{tool="read_file"} 3.0\n' in exposition
    families = {family.name: family for family in text_string_to_metric_families(exposition)}
    latency = families["tool_latency_ms"]
    assert latency.type == "histogram"
    counts = {each.labels["tool"]: each.value for each in latency.samples if each.name == "tool_latency_ms_count"}
    assert counts == dict(Counter(STEPS))


def test_it_prints_the_record_as_the_command_line_does(start, examples, tmp_path):
    """What stands below the line is what ``show last`` says, and the exported lines compact to the same story."""
    done = start(examples / "coding_agent", "--workspace", tmp_path / "w")
    shown = start("-m", "agent_otel", "show", "last").stdout
    assert shown.startswith("DONE  fizz-fixer-")
    assert shown in done.stdout
    stored = json.loads(start("-m", "agent_otel", "show", "last", "--json").stdout)
    (compacted,) = json.loads(start("-m", "agent_otel", "compact", tmp_path / "w/traces.jsonl", "--json").stdout)
    for field in ("run_id", "review_state", "commands", "changed_files", "verifications", "gates", "budgets"):
        assert compacted[field] == stored[field]


def test_two_runs_in_one_folder_are_two_records(start, examples):
    """Each run has a workspace and a record of its own; the repository is the same to the commit."""
    reports = [json.loads(start(examples / "coding_agent", "--json").stdout) for _ in range(2)]
    records = json.loads(start("-m", "agent_otel", "runs", "--json").stdout)
    assert {record["run_id"] for record in records} == {report["run_id"] for report in reports}
    assert len({report["workspace"] for report in reports}) == len({record["run_id"] for record in records}) == 2
    assert len({record["base"]["commit"] for record in records}) == 1


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("rogue", "Denied: git push"),
        ("inventor", "Denied: deploy_to_production"),
        ("stubborn", "BudgetExceeded: budget 'steps'"),
        ("talkative", "BudgetExceeded: budget 'tokens'"),
    ],
)
def test_policies_that_go_wrong_are_halted(start, examples, tmp_path, policy, reason):
    """Exit code 1, a reason, and promises that are not kept; spans and budget hold all the same."""
    done = start(examples / "coding_agent", "--workspace", tmp_path / "w", "--policy", policy, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert report["status"] == "halted"
    assert report["halted"].startswith(reason)
    assert report["promises"]["observation budget never exceeded"]
    assert report["promises"]["every step has its span, in OTLP and in JSON lines"]
    assert not report["promises"]["solved in fewer than 12 steps"]


@pytest.mark.parametrize(("policy", "tool"), [("rogue", "run_command"), ("inventor", "deploy_to_production")])
def test_a_denied_call_is_refused_in_the_exported_trace(start, examples, tmp_path, collector, policy, tool):
    """Its span is the last of the run's, with status ERROR, the error type, and the decision; nothing was started."""
    endpoint, received = collector
    place = tmp_path / "w"
    start(examples / "coding_agent", "--workspace", place, "--policy", policy, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    spans = sent(received, "/v1/traces", ExportTraceServiceRequest)
    (run,) = [span for span in spans if span.name == "invoke_agent fizz-fixer"]
    refused = [span for span in spans if span.parent_span_id == run.span_id][-1]
    assert refused.name == f"execute_tool {tool}"
    assert refused.status.code == STATUS_ERROR
    assert attributes(refused)[names.ERROR_TYPE] == names.ERROR_DENIED
    (decision,) = [event for event in refused.events if event.name == names.GATE_DECISION]
    assert attributes(decision)[names.GATE_OUTCOME] == "deny"
    assert not [span for span in spans if span.parent_span_id == refused.span_id]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {examples!r})
import agent_otel
from coding_agent.agent_run import AgentRun
from coding_agent.policy import CodingAgentPolicy
from coding_agent.workspace import EXPECTED, make_workspace

class Killed(CodingAgentPolicy):
    def next_action(self, observation):
        if observation.command is not None:
            agent_otel.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().next_action(observation)

agent_otel.configure(service_name="killed")
AgentRun(make_workspace(Path("repo")), Killed(), expected=EXPECTED).execute()
"""


def test_a_killed_run_leaves_a_record(start, examples, tmp_path):
    """It is open with what was done until then, and abandoned once nothing more can come."""
    done = start("-c", KILLED.format(examples=str(examples)))
    assert done.returncode == -signal.SIGKILL
    record = json.loads(start("-m", "agent_otel", "show", "last", "--json").stdout)
    assert (record["lifecycle"], record["review_state"]) == ("open", "in progress")
    assert [(command["command"], command["result"]) for command in record["commands"]] == [
        ("python3 -m unittest tests.test_fizz", "failed")
    ]
    assert [span["name"] for span in record["capture"]["open_spans"]] == ["invoke_agent fizz-fixer"]
    store = SqliteStore(tmp_path / "here/.agent-otel/runs.db")
    try:
        fold_due(store, now_ns=END_OF_TIME_NS, policy=Policy())
        (abandoned,) = store.records()
    finally:
        store.close()
    assert (abandoned.lifecycle, abandoned.review_state) == ("abandoned", "failing")


def test_it_says_so_where_telemetry_is_switched_off(start, examples, tmp_path):
    """There is nothing to show then."""
    done = start(examples / "coding_agent", "--workspace", tmp_path / "w", OTEL_SDK_DISABLED="true")
    assert done.returncode == 1
    assert "OTEL_SDK_DISABLED is true" in done.stderr
