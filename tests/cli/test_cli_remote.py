"""``--url``: the same commands over the API of a processor, and what is said where there is none."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from agent_otel.cli import remote
from agent_otel.cli.remote import RemoteRecords
from agent_otel.store.base import RecordQuery, cursor

Answers = Callable[[BaseHTTPRequestHandler], None]


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Sends a whole reply."""
    handler.send_response(status)
    for name, value in {"content_length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Callable[[Answers], str]]:
    """Starts servers that answer every request in one way; gives the URL."""
    started: list[tuple[HTTPServer, threading.Thread]] = []

    def start(answers: Answers) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        made = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        started.append((made, thread))
        return f"http://127.0.0.1:{made.server_port}"

    yield start
    for made, thread in started:
        made.shutdown()
        thread.join()
        made.server_close()


PROBLEM = b'{"type": "about:blank", "title": "x", "status": 400, "detail": "finding: expected one of a, b"}'

ANSWERS = {
    "another server": (
        lambda it: answer(it, 404, b"<h1>Not Found</h1>", content_type="text/html"),
        1, "is not the API of an agent-otel processor: it answers with status 404",
    ),
    "a login page": (lambda it: answer(it, 302, location="/login"), 1, "it answers with status 302"),
    "a page": (lambda it: answer(it, 200, b"<html>", content_type="text/html"), 1, "its answer is not JSON"),
    "other JSON": (lambda it: answer(it, 200, b'{"a": 1}'), 1, "it lists no runs"),
    "a JSON list": (lambda it: answer(it, 200, b"[1]"), 1, "it lists no runs"),
    "odd records": (lambda it: answer(it, 200, b'{"runs": [1]}'), 1, "not a run record"),
    "newer records": (
        lambda it: answer(it, 200, b'{"runs": [{"schema": "agent-otel/run-record/99"}]}'),
        1, "this program reads up to 1: upgrade agent-otel",
    ),
    "a refusal": (
        lambda it: answer(it, 400, PROBLEM, content_type="application/problem+json"),
        1, "finding: expected one of a, b",
    ),
    "an odd refusal": (lambda it: answer(it, 400, b"{", content_type="application/problem+json"), 1, "status 400"),
    "a token is asked for": (lambda it: answer(it, 401), 2, "asks for a token: set AGENT_OTEL_TOKEN"),
    "hangs up": (lambda it: it.connection.close(), 1, "does not answer"),
    "half an answer": (lambda it: answer(it, 200, b"{", content_length="100"), 1, "does not answer"),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_what_is_no_processor_of_ours_is_told(invoke, server, case: str) -> None:
    """One line that says what came; nothing on standard output."""
    answers, exit_code, message = ANSWERS[case]
    result = invoke("runs", "--url", server(answers))
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_processor_that_is_not_there_is_told(invoke) -> None:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = invoke("runs", "--url", f"http://127.0.0.1:{port}")
    assert result.exit_code == 1
    assert f"http://127.0.0.1:{port} does not answer: Connection refused" in result.stderr
    result = invoke("runs", "--url", "http://nowhere.invalid:1")
    assert "http://nowhere.invalid:1 does not answer: " in result.stderr


@pytest.mark.parametrize("url", ["localhost:4318", "ftp://x", "http://", "runs.db", "", "http://u:secret@"])
def test_what_is_no_url_is_misuse(invoke, url: str) -> None:
    """The message shows one, and no password."""
    result = invoke("runs", "--url", url)
    assert result.exit_code == 2
    assert "such as http://127.0.0.1:4318" in result.stderr
    assert "secret" not in result.stderr


def test_an_answer_that_does_not_end_is_left(server, monkeypatch) -> None:
    """Whoever answers cannot fill the memory."""
    monkeypatch.setattr(remote, "MOST_BYTES", 1 << 20)
    url = server(lambda it: answer(it, 200, b" " * (2 << 20)))
    with closing(RemoteRecords(url)) as records, pytest.raises(Exception, match="does not end"):
        records.record("r")


def test_a_busy_processor_is_asked_again(invoke, server) -> None:
    """A refusal that passes is not noticed; one that stays is told."""
    answers = iter([503, 503, 200])
    url = server(lambda it: answer(it, next(answers), b'{"runs": []}'))
    assert invoke("runs", "--url", url).stdout == "no runs\n"


def test_the_token_is_shown(invoke, database: Path, served, monkeypatch, tmp_path: Path) -> None:
    """From the environment or the command line, and instead of what ``.netrc`` has for the host."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password netrc-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    invoke("runs", "--url", served.url)
    invoke("runs", "--url", served.url, AGENT_OTEL_TOKEN="from-environment")
    invoke("runs", "--url", served.url, "--token", "given", AGENT_OTEL_TOKEN="from-environment")
    shown = [headers.get("authorization") for headers in served.asked]
    assert shown == [None, "Bearer from-environment", "Bearer given"]


def test_a_wrong_token_is_told(invoke, server) -> None:
    """Without showing it."""
    result = invoke("runs", "--url", server(lambda it: answer(it, 401)), "--token", "my-secret-token")
    assert (result.exit_code, "does not know this token" in result.stderr) == (2, True)
    assert "my-secret-token" not in result.stderr


def test_both_sources_are_misuse(invoke, database: Path) -> None:
    """A database or a processor; where the environment names a database, the option wins."""
    for command in ("runs", "show", "export"):
        result = invoke(command, "--db", database, "--url", "http://127.0.0.1:1")
        assert result.exit_code == 2
        assert "choose one of --db and --url" in result.stderr
    result = invoke("runs", "--url", "http://127.0.0.1:1", AGENT_OTEL_DB=str(database))
    assert result.exit_code == 1


@pytest.mark.parametrize("run_id", [".", "..", "a/b", "a/../b", "%2F", "?x=1#y", "ä b", "__proto__", "\x01", "items"])
def test_a_run_is_found_whatever_its_id(invoke, telemetry, lines, tmp_path: Path, run_id: str, serving) -> None:
    """Slashes, dots and the like reach the processor as they are."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry(run_id), telemetry("other", number=2)))
    invoke("compact", "a.jsonl", "--db", "runs.db")
    url = serving(tmp_path / "runs.db").url
    result = invoke("show", run_id, "--url", url, "--json")
    assert (result.exit_code, json.loads(result.stdout)["run_id"]) == (0, run_id)


def test_pages_are_followed(invoke, telemetry, lines, tmp_path: Path, serving, monkeypatch) -> None:
    """Every record once, in either direction, from wherever one wants to start."""
    monkeypatch.setattr(remote, "_PAGE", 7)
    requests = [telemetry(f"run-{number:02}", number=number + 1, seconds=number // 3) for number in range(30)]
    (tmp_path / "a.jsonl").write_bytes(lines(*requests))
    invoke("compact", "a.jsonl", "--db", "runs.db")
    served = serving(tmp_path / "runs.db")
    with closing(RemoteRecords(served.url + "/")) as records:
        for earliest_first in (True, False):
            query = RecordQuery(limit=1000, earliest_first=earliest_first)
            assert list(records.records(query)) == served.store.records(query)
        (tenth,) = served.store.records(RecordQuery(limit=10, earliest_first=True))[9:]
        rest = records.records(RecordQuery(limit=5, earliest_first=True, after=cursor(tenth)))
        assert [record.run_id for record in rest] == [f"run-{number:02}" for number in range(10, 15)]
        assert records.record("nobody") is None
        assert records.record("") is None


def test_a_prefix_of_the_url_is_kept(server) -> None:
    """A processor may stand behind a proxy, under a path."""
    asked = []

    def answers(it: BaseHTTPRequestHandler) -> None:
        asked.append(it.path)
        answer(it, 200, b'{"runs": []}')

    with closing(RemoteRecords(server(answers) + "/agents/")) as records:
        assert list(records.records(RecordQuery(agent="a b", limit=3))) == []
    assert asked == ["/agents/api/runs?agent=a+b&order=latest&limit=3"]


def test_the_telemetry_behind_a_run_makes_its_record_again(invoke, served, tmp_path: Path) -> None:
    """What the API gives of a run's items, page by page, ``compact`` folds into the record that the API gives."""
    session = requests.Session()
    target: str | None = "/api/runs/run-2/items?limit=1"
    for number in itertools.count():
        page = session.get(served.url + target, timeout=30)
        (tmp_path / f"page-{number}.json").write_bytes(page.content)
        if "next" not in page.links:
            break
        target = page.links["next"]["url"]
    session.close()
    found = invoke("compact", *sorted(tmp_path.glob("page-*.json")), "--json", "--no-revision").stdout
    assert found == invoke("export", "--url", served.url, "--agent", "writer", "--no-revision").stdout
