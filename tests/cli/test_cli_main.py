"""The command line as a whole: help, version, exit codes, a real process, hostile text."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import click
import pytest

from agent_otel.cli.console import ConsoleSettings, wants_colour
from agent_otel.cli.main import main
from agent_otel.model.record import json_schema
from agent_otel.review.rules.table import RULES

HOSTILE = "\x1b]8;;http://evil.example\x07x\x1b[2J\x9b31m\u202egnp.exe\r\nrm -rf\x7f"
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def test_every_command_says_what_it_does(invoke) -> None:
    """``--help`` of every command has a sentence, and every option a help text."""
    commands = [((), main), *(((name,), command) for name, command in main.commands.items())]
    for path, command in commands:
        result = invoke(*path, "--help")
        assert result.exit_code == 0
        assert command.help
        assert all(
            parameter.help
            for parameter in command.params
            if isinstance(parameter, click.Option) and parameter.name not in {"help", "version"}
        )


def test_commands_are_those_of_the_readme() -> None:
    """A command added is a command documented."""
    known = [
        "audit",
        "compact",
        "consume",
        "contract",
        "diagnose",
        "dialects",
        "diff",
        "digest",
        "doctor",
        "evidence",
        "exec",
        "export",
        "incidents",
        "near-miss",
        "note",
        "postmortem",
        "recompact",
        "record",
        "redo",
    ]
    known += ["report", "review", "rules", "run", "runs", "serve", "show", "verify"]
    assert sorted(main.commands) == known


def test_schema_is_printed(invoke) -> None:
    """``record schema`` prints the JSON Schema of the documents."""
    assert json.loads(invoke("record", "schema").stdout) == json.loads(json.dumps(json_schema()))


def test_rules_are_listed(invoke) -> None:
    """Every rule with its weight, its example and its remedy; and for programs the same as JSON."""
    text = invoke("rules").stdout
    assert all(f"{rule.id}  ({rule.severity}, points to: {rule.layer})" in text for rule in RULES)
    listed = json.loads(invoke("rules", "--json").stdout)
    assert [rule["id"] for rule in listed] == [rule.id for rule in RULES]
    assert set(listed[0]) == {"id", "severity", "layer", "summary", "example", "remedy"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["rules"], 0),
        (["runs"], 1),
        (["show", "last"], 1),
        (["bogus"], 2),
        (["runs", "--bogus"], 2),
        (["show", "last", "more"], 2),
        ([], 2),
    ],
)
def test_exit_codes_of_a_real_process(program, arguments: list[str], code: int) -> None:
    """0 success, 1 failure, 2 misuse; errors on standard error, never a traceback."""
    done = program(*arguments)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)


def test_real_process_compacts_and_shows(program, telemetry, lines, tmp_path: Path) -> None:
    """From a pipe into a database, and out again."""
    done = program("compact", "-", "--db", "runs.db", "--json", input=lines(telemetry("run-1")))
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)[0]["run_id"] == "run-1"
    shown = program("show", "last", "--db", "runs.db")
    assert shown.stdout.decode().startswith("INCOMPLETE  run-1\n")


def test_reader_that_leaves_early_is_no_error_to_speak_of(same_modules: str, tmp_path: Path) -> None:
    """``agent-otel rules | head -1`` prints no traceback."""
    command = f'"{sys.executable}" -m agent_otel rules | head -1'
    env = {**os.environ, "PYTHONPATH": same_modules}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr
    assert done.stdout.count(b"\n") == 1


def hostile(telemetry) -> dict:
    """A run that says hostile things wherever it can."""
    request = telemetry(f"run-{HOSTILE}", agent=HOSTILE, objective=HOSTILE, repository=HOSTILE)
    for span in request["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for event in span["events"]:
            for attribute in event["attributes"]:
                if attribute["value"].get("stringValue") in {"pytest -q", "patch with blocker", "run e2e in CI"}:
                    attribute["value"]["stringValue"] = HOSTILE
    return request


def inert(text: str) -> bool:
    """True when there is nothing in the text that a terminal would obey, styles aside."""
    return all(character == "\n" or character.isprintable() for character in STYLE.sub("", text))


@pytest.mark.parametrize(
    "arguments",
    [
        ("compact", "hostile.jsonl"),
        ("compact", "hostile.jsonl", "--json"),
        ("runs", "--db", "runs.db"),
        ("runs", "--db", "runs.db", "--json"),
        ("show", "last", "--db", "runs.db"),
        ("show", "last", "--db", "runs.db", "--json"),
        ("show", "last", "--db", "runs.db", "--markdown"),
        ("show", f"run-{HOSTILE}x", "--db", "runs.db"),
        ("show", "run-", "--db", "runs.db"),
        ("compact", "rubbish\x1b[2J.jsonl"),
    ],
    ids=lambda arguments: " ".join(arguments).encode("ascii", "backslashreplace").decode().replace("\x1b", "ESC"),
)
def test_hostile_text_reaches_no_terminal(invoke, telemetry, lines, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Escape sequences, links, C1 controls and bidirectional overrides are spelled out, in results and in errors."""
    (tmp_path / "hostile.jsonl").write_bytes(lines(hostile(telemetry), telemetry("run-2", number=2)))
    (tmp_path / "rubbish\x1b[2J.jsonl").write_bytes(b"rubbish")
    invoke("compact", "hostile.jsonl", "--db", "runs.db")
    result = invoke(*arguments, NO_COLOR="", FORCE_COLOR="1")
    assert inert(result.stdout)
    assert inert(result.stderr)
    assert result.output


@pytest.mark.parametrize(
    ("is_terminal", "settings", "wanted"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"no_color": "1"}, False),
        (False, {"force_color": "1"}, True),
        (True, {"no_color": "1", "force_color": "1"}, False),
        (True, {"term": "dumb"}, False),
        (True, {"term": "xterm-256color"}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(is_terminal: bool, settings: dict[str, str], wanted: bool) -> None:
    """The terminal, NO_COLOR and FORCE_COLOR decide."""
    assert wants_colour(is_terminal=is_terminal, chosen=ConsoleSettings(**settings)) is wanted


def in_a_terminal(arguments: list[str], folder: Path, **env: str) -> str:
    """What the program writes to a real (pseudo) terminal."""
    mine, theirs = pty.openpty()
    unset = dict.fromkeys(("NO_COLOR", "FORCE_COLOR"), "")
    with subprocess.Popen(
        [sys.executable, "-m", "agent_otel", *arguments],
        cwd=folder,
        env={**os.environ, **unset, "TERM": "xterm", "COLUMNS": "100", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b""
        while select.select([mine], [], [], 60)[0]:
            try:
                part = os.read(mine, 4096)
            except OSError:  # Linux says so when the other side has closed
                break
            if not part:
                break
            written += part
        process.wait(timeout=60)
    os.close(mine)
    return written.decode()


def test_real_terminal_gets_colour_and_progress(telemetry, lines, same_modules: str, tmp_path: Path) -> None:
    """On a terminal the state is coloured, and long input shows how far it is."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1")) + b" " * (5 << 20))
    written = in_a_terminal(["compact", "a.jsonl"], tmp_path, PYTHONPATH=same_modules)
    assert "\x1b[1;33mINCOMPLETE\x1b[0m" in written
    assert "reading" in written
    assert "100%" in written
    plain = in_a_terminal(["compact", "a.jsonl"], tmp_path, PYTHONPATH=same_modules, NO_COLOR="1")
    assert "INCOMPLETE" in plain
    assert "\x1b[1;33m" not in plain
