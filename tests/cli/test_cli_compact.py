"""``agent-otel compact``: every form telemetry has in files, and what cannot be read."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agent_otel.cli.sources import files_in, requests_in
from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.limits import DEFAULT_LIMITS


def protobuf(request: dict) -> bytes:
    """The request in protobuf; protobuf's own JSON has base64 where OTLP has hex."""
    import base64  # noqa: PLC0415 - only here

    request = json.loads(json.dumps(request))
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId"):
                    span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return ParseDict(request, ExportTraceServiceRequest()).SerializeToString()


def ids(output: str) -> list[str]:
    """The run ids of a JSON array of records."""
    return [record["run_id"] for record in json.loads(output)]


@pytest.fixture
def forms(telemetry, lines) -> dict[str, bytes]:
    """The same two runs in every form."""
    both = [telemetry("run-1", number=1), telemetry("run-2", number=2, seconds=60)]
    bodies = [protobuf(request) for request in both]
    return {
        "lines.jsonl": lines(*both),
        "windows.jsonl": lines(*both).replace(b"\n", b"\r\n"),
        "blank-lines.jsonl": b"\n" + lines(*both).replace(b"\n", b"\n\n"),
        "no-newline.jsonl": lines(*both).rstrip(),
        "array.json": json.dumps(both).encode(),
        "pretty-array.json": json.dumps(both, indent=2).encode(),
        "pretty.json": json.dumps({"resourceSpans": [part["resourceSpans"][0] for part in both]}, indent=2).encode(),
        "body.pb": b"".join(bodies),  # two protobuf messages in a row are one message
        "frames.bin": b"".join(struct.pack(">I", len(body)) + body for body in bodies),
        "lines.jsonl.gz": gzip.compress(lines(*both)),
        "members.jsonl.gz": b"".join(gzip.compress(lines(request)) for request in both),
        "body.pb.gz": gzip.compress(b"".join(bodies)),
        "inflated-by-content.jsonl": gzip.compress(lines(*both)),
    }


def test_every_form_gives_the_same_records(invoke, forms: dict[str, bytes], tmp_path: Path) -> None:
    """JSON lines, documents, arrays, protobuf bodies and frames, gzip or not: byte for byte the same records."""
    outputs = {}
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        result = invoke("compact", name, "--json")
        assert result.exit_code == 0, (name, result.stderr)
        assert result.stderr == ""
        outputs[name] = result.stdout
    assert ids(outputs["lines.jsonl"]) == ["run-1", "run-2"]
    assert set(outputs.values()) == {outputs["lines.jsonl"]}


@pytest.mark.parametrize("name", ["lines.jsonl", "frames.bin", "body.pb", "lines.jsonl.gz"])
def test_standard_input_is_read_like_a_file(invoke, forms: dict[str, bytes], name: str) -> None:
    """A dash stands for standard input."""
    assert ids(invoke("compact", "-", "--json", input=forms[name]).stdout) == ["run-1", "run-2"]


def test_folder_is_read_with_the_folders_in_it(invoke, telemetry, lines, tmp_path: Path) -> None:
    """Files with the suffixes of telemetry are read; hidden ones and others are not."""
    deep = tmp_path / "captures" / "deep"
    deep.mkdir(parents=True)
    (deep / "traces.jsonl.gz").write_bytes(gzip.compress(lines(telemetry("run-1", number=1))))
    (deep.parent / "body.pb").write_bytes(protobuf(telemetry("run-2", number=2, seconds=1)))
    (deep / ".hidden.jsonl").write_bytes(lines(telemetry("hidden", number=3)))
    (deep / "README.md").write_text("no telemetry")
    result = invoke("compact", "captures", "--json")
    assert ids(result.stdout) == ["run-1", "run-2"]
    assert result.stderr == ""


def test_run_in_several_files_is_one_record(invoke, telemetry, lines, tmp_path: Path) -> None:
    """The input is folded as one, twice the same is once, and the ended copy of a span counts."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1", ended=False)))
    (tmp_path / "b.jsonl").write_bytes(lines(telemetry("run-1")))
    (record,) = json.loads(invoke("compact", "a.jsonl", "b.jsonl", "b.jsonl", "--json").stdout)
    assert record["lifecycle"] == "settled"
    assert len(record["commands"]) == 1


def test_run_without_an_end_was_abandoned(invoke, telemetry, lines, tmp_path: Path) -> None:
    """A file is all there is: however fresh it is, nothing more will come."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1", ended=False)))
    (record,) = json.loads(invoke("compact", "a.jsonl", "--json").stdout)
    assert record["lifecycle"] == "abandoned"
    assert invoke("compact", "a.jsonl", "--json").stdout == invoke("compact", "a.jsonl", "--json").stdout


def test_text_for_people_is_the_default(invoke, forms: dict[str, bytes], tmp_path: Path) -> None:
    """One record after the other."""
    (tmp_path / "a.jsonl").write_bytes(forms["lines.jsonl"])
    result = invoke("compact", "a.jsonl")
    assert result.stdout.startswith("INCOMPLETE  run-1\n")
    assert "\n───" in result.stdout
    assert "INCOMPLETE  run-2\n" in result.stdout


def test_database_keeps_what_was_compacted(invoke, telemetry, lines, tmp_path: Path) -> None:
    """With ``--db`` telemetry joins what is stored; what is printed is what came now, as it is stored."""
    for number in (1, 2):
        (tmp_path / f"{number}.jsonl").write_bytes(lines(telemetry(f"run-{number}", number=number, seconds=number)))
    assert ids(invoke("compact", "1.jsonl", "--db", "runs.db", "--json").stdout) == ["run-1"]
    assert ids(invoke("compact", "2.jsonl", "--db", "runs.db", "--json").stdout) == ["run-2"]
    assert ids(invoke("runs", "--db", "runs.db", "--json").stdout) == ["run-2", "run-1"]


def test_what_is_stored_already_is_printed_again(invoke, telemetry, lines, tmp_path: Path) -> None:
    """Compacting the same file once more changes nothing, and shows the same records."""
    for number in (1, 2):
        (tmp_path / f"{number}.jsonl").write_bytes(lines(telemetry(f"run-{number}", number=number, seconds=number)))
    first = invoke("compact", "1.jsonl", "--db", "runs.db", "--json").stdout
    assert invoke("compact", "1.jsonl", "--db", "runs.db", "--json").stdout == first
    both = invoke("compact", "1.jsonl", "2.jsonl", "--db", "runs.db", "--json").stdout
    assert ids(both) == ["run-1", "run-2"]
    assert json.loads(both)[0] == json.loads(first)[0]


def test_bad_line_costs_itself_alone(invoke, telemetry, lines, tmp_path: Path) -> None:
    """It is named with file and line and counted; with ``--strict`` the command fails, after printing what it could."""
    good = lines(telemetry("run-1", number=1))
    (tmp_path / "a.jsonl").write_bytes(good + b"not json\n" + good[:40] + b"\n" + lines({"other": 1}))
    result = invoke("compact", "a.jsonl", "--json")
    assert result.exit_code == 0
    assert ids(result.stdout) == ["run-1"]
    for number in (2, 3, 4):
        assert f"agent-otel: a.jsonl:{number}: " in result.stderr
    assert "could not use 3 parts of the input" in result.stderr
    strict = invoke("compact", "a.jsonl", "--json", "--strict")
    assert strict.exit_code == 1
    assert ids(strict.stdout) == ["run-1"]
    assert "could not use 3 parts of the input" in strict.stderr


def test_bad_span_costs_itself_alone(invoke, telemetry, lines, tmp_path: Path) -> None:
    """A span with an impossible id is refused, its neighbours are not."""
    request = telemetry("run-1")
    spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], "spanId": "0000000000000000"})
    (tmp_path / "a.jsonl").write_bytes(lines(request))
    result = invoke("compact", "a.jsonl", "--json")
    assert ids(result.stdout) == ["run-1"]
    assert "agent-otel: a.jsonl:1: " in result.stderr
    assert "1 refused: span whose span id is all zeros" in result.stderr
    assert "could not use 1 part of the input" in result.stderr


def test_many_problems_are_counted(invoke, telemetry, lines, tmp_path: Path) -> None:
    """A file of rubbish does not fill the screen."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1")) + b"x\n" * 500)
    result = invoke("compact", "a.jsonl", "--json")
    assert len(result.stderr.splitlines()) == 11
    assert "could not use 500 parts of the input" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"just text\n", "nothing could be read: a.jsonl"),
        (b'{"a": 1}\n{"b": 2}\n', "(and 1 more)"),
        (b"", "no spans or log records in the input"),
        (b'{"resourceMetrics": []}', "no spans or log records in the input"),
        (gzip.compress(b"x" * 1000, mtime=0)[:20], "damaged gzip"),
        (b"\x1f\x8b" + b"rubbish" * 4, "damaged gzip"),
        (b"\x00\x00\x00\x05ab", "message 1: the file ends inside a message"),
        (b"\x00\x00", "message 1: the file ends inside a message"),
    ],
)
def test_input_without_anything_usable_is_a_failure(invoke, tmp_path: Path, content: bytes, message: str) -> None:
    """Nothing is printed as a result, and the reason is said."""
    (tmp_path / "a.jsonl").write_bytes(content)
    result = invoke("compact", "a.jsonl", "--json")
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_folder_without_telemetry_is_a_failure(invoke, tmp_path: Path) -> None:
    """A wrong folder is noticed."""
    (tmp_path / "empty").mkdir()
    result = invoke("compact", "empty")
    assert (result.exit_code, result.stderr) == (1, "Error: no telemetry files in the folder\n")


@pytest.mark.parametrize("arguments", [[], ["missing.jsonl"]])
def test_missing_path_is_misuse(invoke, arguments: list[str]) -> None:
    """A path has to be given, and to be there."""
    assert invoke("compact", *arguments).exit_code == 2


def test_progress_goes_to_standard_error_of_a_terminal_alone(invoke, telemetry, lines, tmp_path: Path) -> None:
    """Long input into a pipe prints no bar."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1")) + b" " * (5 << 20))
    result = invoke("compact", "a.jsonl", "--json")
    assert result.exit_code == 0
    assert "reading" not in result.stderr


def bounded(content: bytes, tmp_path: Path) -> list:
    """The requests of a file with this content."""
    path = tmp_path / "x"
    path.write_bytes(content)
    with path.open("rb") as file:
        return list(requests_in(file, "x"))


def test_request_over_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    """A line, a document or a message may have so many bytes, inflated; what follows a long line is read."""
    limit = DEFAULT_LIMITS.body_bytes
    long_line = b'{"a":"' + b"x" * limit + b'"}'
    line, good = bounded(gzip.compress(long_line + b"y" * (2 << 20) + b"\n{}\n", 1), tmp_path)
    assert isinstance(line.error, TooLarge)
    assert (good.body, good.error) == (b"{}\n", None)
    (document,) = bounded(gzip.compress(b"[" + long_line, 1), tmp_path)
    assert isinstance(document.error, TooLarge)
    (message,) = bounded(b"\0" + b"\0" * 3 + b"" + struct.pack(">I", 3), tmp_path)[1:] or [None]
    assert isinstance(message.error, DecodeError)


def test_reading_is_told_byte_by_byte(telemetry, lines, tmp_path: Path) -> None:
    """Progress counts the bytes of the file, not what they inflate to."""
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(telemetry("run-1")) * 50))
    told: list[int] = []
    with path.open("rb") as file:
        assert len(list(requests_in(file, "a", read=told.append))) == 50
    assert sum(told) == path.stat().st_size


def test_named_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    """Suffixes choose within folders only."""
    (tmp_path / "trace.log").write_text("")
    assert files_in(tmp_path / "trace.log") == [tmp_path / "trace.log"]
    assert files_in(tmp_path) == []


def test_only_a_file_takes_telemetry_in(invoke, telemetry, lines, tmp_path: Path) -> None:
    """A URL of a file is one; what has processors is sent telemetry by OTLP."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1")))
    assert invoke("compact", "a.jsonl", "--db", "sqlite:///runs.db").exit_code == 0
    assert (tmp_path / "runs.db").exists()
    result = invoke("compact", "a.jsonl", "--db", "postgresql://u:secret@h/d")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "got 'postgresql://u:***@h/d': send telemetry to its processor" in result.stderr
