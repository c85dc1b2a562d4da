"""``agent-otel note``: the review note of a run, printed or kept in a marked section of a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

RECORD = Path(__file__).parents[1] / "data" / "records" / "v1.json"


def test_note_is_told_from_wherever_the_run_is(invoke, source) -> None:
    """A database or a processor, by id or as the last run."""
    result = invoke("note", "run-1", *source)
    assert result.exit_code == 0
    assert result.stdout.startswith("## agent-otel: incomplete\n\nFix the redirect\n")
    assert "- `pytest -q`: failed (exit 1, 500 ms)\n" in result.stdout
    assert invoke("note", *source).stdout == invoke("note", "run-2", *source).stdout


def test_note_of_a_record_in_a_file_is_judged_anew(invoke, tmp_path: Path) -> None:
    """Who edits the state in a file does not change what the note says."""
    doctored = RECORD.read_text().replace('"review_state": "missing required evidence"', '"review_state": "done"')
    (tmp_path / "record.json").write_text(doctored)
    told = invoke("note", "--file", "record.json").stdout
    assert told.startswith("## agent-otel: missing required evidence\n")
    assert told == invoke("note", "--file", RECORD).stdout


def test_links_come_from_options_or_the_environment(invoke) -> None:
    """An option wins over the environment."""
    jaeger = "http://localhost:16686/trace/{trace_id}"
    told = invoke("note", "--file", RECORD, "--output-url", "http://ci/{sha256}", AGENT_OTEL_TRACE_URL=jaeger).stdout
    assert "[trace](<http://localhost:16686/trace/0af7651916cd43dd8448eb211c80319c>)" in told
    assert f"[output](<http://ci/{'5f' * 32}>)" in told
    other = invoke("note", "--file", RECORD, "--trace-url", "http://tempo/{trace_id}", AGENT_OTEL_TRACE_URL=jaeger)
    assert "](<http://tempo/" in other.stdout
    assert "localhost" not in other.stdout


def test_budget_bounds_the_note(invoke, telemetry, lines, tmp_path: Path) -> None:
    """What does not fit is counted."""
    request = telemetry("run-1")
    events = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["events"]
    (command,) = (event for event in events if event["name"].endswith("command_run"))
    for number in range(200):
        copied = {**command, "attributes": [dict(each) for each in command["attributes"]]}
        for each in copied["attributes"]:
            if each["key"] in ("agent_otel.command.id", "agent_otel.event.id"):
                each["value"] = {"stringValue": f"more-{number}"}
        events.append(copied)
    (tmp_path / "a.jsonl").write_bytes(lines(request))
    invoke("compact", "a.jsonl", "--db", "runs.db")
    told = invoke("note", "--db", "runs.db", AGENT_OTEL_NOTE_BUDGET="8000").stdout
    assert len(told) <= 8000
    assert re.search(r"^- … and \d+ more, in the whole record$", told, re.MULTILINE)


def test_update_file_rewrites_its_section(invoke, tmp_path: Path) -> None:
    """What people wrote around it stays, byte for byte; twice equals once."""
    body = tmp_path / "body.md"
    body.write_bytes(b"My words.\r\n")
    for _ in range(2):
        result = invoke("note", "--file", RECORD, "--update-file", body)
        assert (result.exit_code, result.stdout) == (0, "")
    content = body.read_bytes()
    assert content.startswith(b"My words.\r\n\r\n<!-- agent-otel:note coding-2026-05-18-0042 -->\r\n## agent-otel: ")
    assert content.endswith(b"\r\n<!-- /agent-otel:note -->\r\n")
    assert content.count(b"## agent-otel") == 1
    assert invoke("note", "--file", RECORD, "--update-file", "new.md").exit_code == 0
    assert (tmp_path / "new.md").read_bytes().startswith(b"<!-- agent-otel:note coding-2026-05-18-0042 -->\n## agent")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run-1", "--file", RECORD], 2, "--file is the record: leave out RUN, --db and --url"),
        (["--file", RECORD, "--db", "runs.db"], 2, "--file is the record"),
        (["--file", "gone.json"], 2, "'gone.json' does not exist"),
        (["--file", __file__], 1, "a run record is JSON; this is not"),
        (["--file", RECORD, "--budget", "100"], 2, "budget: expected at least 8000 characters, got 100"),
        (["--file", RECORD, "--trace-url", "localhost"], 2, "trace: expected an http(s) URL with {trace_id} in it"),
        (["--file", RECORD, "--update-file", "broken.md"], 2, "on a line of its own after it"),
        (["zzz"], 1, "no database at"),
    ],
)
def test_misuse_is_told(invoke, tmp_path: Path, arguments: list, code: int, message: str) -> None:
    """Nothing is printed, and no file is touched."""
    (tmp_path / ".git").mkdir()
    broken = tmp_path / "broken.md"
    broken.write_text("<!-- agent-otel:note coding-2026-05-18-0042 -->\n")
    result = invoke("note", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert broken.read_text() == "<!-- agent-otel:note coding-2026-05-18-0042 -->\n"
