"""Passing finished revisions on."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import agent_spans
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from agent_otel.compaction.policy import Policy
from agent_otel.errors import EmitError
from agent_otel.model import names
from agent_otel.model.record import encode
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.emit import Emission, FileEmitter, LogEmitter, bounded
from agent_otel.service.fold import fold_due
from agent_otel.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path):
    """A store with the records of three runs."""
    opened = SqliteStore(tmp_path / "runs.db")
    for body in agent_spans.requests(runs=3, spans=4, size=300):
        opened.put(items_from_protobuf(body, "span").items)
    fold_due(opened, now_ns=agent_spans.START_NS + 10**12, policy=Policy())
    yield opened
    opened.close()


class Taking:
    """Takes records, unless told to refuse."""

    def __init__(self):
        self.taken = []
        self.refuses = False

    def emit(self, records):
        if self.refuses:
            raise EmitError("not now")
        self.taken += [(record.run_id, record.revision) for record in records]

    def close(self):
        self.taken.append("closed")


def test_each_revision_is_passed_on_once(store):
    """What was taken is not passed on again, and counted."""
    taking, counts = Taking(), []
    emission = Emission(store, [taking], emitted=counts.append)
    assert emission.step() is False
    assert emission.step() is False
    emission.close()
    assert sorted(taking.taken[:3]) == [(agent_spans.run_id(run), 1) for run in range(3)]
    assert taking.taken[3:] == ["closed"]
    assert counts == [3]


def test_what_was_not_taken_is_tried_again(store):
    """A refusal loses nothing, of whichever emitter."""
    first, second = Taking(), Taking()
    emission = Emission(store, [first, second], emitted=lambda _: None)
    second.refuses = True
    with pytest.raises(EmitError):
        emission.step()
    second.refuses = False
    emission.step()
    assert len(second.taken) == 3
    assert len(first.taken) == 6  # at least once


def test_lines_of_a_file_are_records(store, tmp_path):
    """One record a line, appended, readable by its owner alone."""
    path = tmp_path / "records.jsonl"
    Emission(store, [FileEmitter(path)], emitted=lambda _: None).step()
    lines = path.read_bytes().splitlines()
    assert sorted(lines) == sorted(map(encode, store.records()))
    assert path.stat().st_mode & 0o777 == 0o600
    FileEmitter(path).emit(store.records())
    assert len(path.read_bytes().splitlines()) == 6


def test_a_line_that_was_cut_short_is_ended_first(store, tmp_path):
    """A crash in the middle of a line costs that line, not the next."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'{"schema": "agent-ot')
    FileEmitter(path).emit(store.records())
    first, *others = path.read_bytes().splitlines()
    assert first == b'{"schema": "agent-ot'
    assert [json.loads(line)["revision"] for line in others] == [1, 1, 1]


def test_a_file_that_was_moved_away_begins_anew(store, tmp_path):
    """Rotation by moving needs no signal."""
    path = tmp_path / "records.jsonl"
    emitter = FileEmitter(path)
    emitter.emit(store.records())
    path.rename(tmp_path / "records.1")
    emitter.emit(store.records())
    assert path.read_bytes() == (tmp_path / "records.1").read_bytes()


def test_a_file_that_cannot_be_written_is_an_error(store, tmp_path):
    """The message says which file and why."""
    with pytest.raises(EmitError, match=r"cannot write .*nowhere.*No such file"):
        FileEmitter(tmp_path / "nowhere" / "records.jsonl").emit(store.records())


@pytest.fixture
def collector():
    """An HTTP server that answers exports with the status it is told to; the requests it got, and its endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.server.status == 200:
                self.server.requests.append(ExportLogsServiceRequest.FromString(body))
            self.send_response(self.server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.status = [], 200
    server.endpoint = f"http://127.0.0.1:{server.server_port}/v1/logs"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_record_is_a_log_event(store, collector):
    """The event carries how the run stands as attributes, the record as body, and the run's trace id."""
    emitter = LogEmitter(collector.endpoint, clock=lambda: 7, version="0.1")
    Emission(store, [emitter], emitted=lambda _: None).step()
    emitter.close()
    (request,) = collector.requests
    (resource_logs,) = request.resource_logs
    (scope_logs,) = resource_logs.scope_logs
    by_run = {json.loads(event.body.string_value)["run_id"]: event for event in scope_logs.log_records}
    assert set(by_run) == {agent_spans.run_id(run) for run in range(3)}
    event = by_run[agent_spans.run_id(1)]
    record = store.record(agent_spans.run_id(1))
    assert event.event_name == names.RUN_RECORD
    assert event.trace_id == agent_spans.trace_id(1)
    assert event.body.string_value.encode() == encode(record)
    said = {entry.key: entry.value for entry in event.attributes}
    assert said[names.RUN_ID].string_value == record.run_id
    assert said[names.RECORD_REVISION].int_value == 1
    assert said[names.RECORD_LIFECYCLE].string_value == "settled"
    assert said[names.AGENT_NAME].string_value == "load"
    assert names.RECORD_LEFT_OUT not in said


def test_a_collector_that_refuses_for_good_is_an_error(store, collector):
    """Records that were not taken are not marked as passed on."""
    collector.status = 400
    emission = Emission(store, [LogEmitter(collector.endpoint, clock=lambda: 7, version="0.1")], emitted=lambda _: None)
    with pytest.raises(EmitError, match="did not take 3 run records"):
        emission.step()
    assert len(store.unemitted()) == 3
    emission.close()


def test_our_own_event_is_not_telemetry_of_a_run(store, collector):
    """A collector that sends everything back to the processor must not keep runs due for ever."""
    Emission(store, [LogEmitter(collector.endpoint, clock=lambda: 7, version="0.1")], emitted=lambda _: None).step()
    received = items_from_protobuf(collector.requests[0].SerializeToString(), "log")
    assert (received.items, received.rejected, received.ignored) == ((), (), 3)


@pytest.mark.parametrize("most", [10**6, 1_000, 500])
def test_a_record_is_cut_to_what_an_event_may_hold(store, most):
    """The least decisive parts are left out first, and named."""
    record = store.records()[0]
    body, left_out = bounded(record, most)
    kept = json.loads(body)
    assert kept["run_id"] == record.run_id
    assert not set(left_out) & set(kept)
    assert len(body) <= most
    assert bool(left_out) == (most < 10**6)
