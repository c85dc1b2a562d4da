"""``examples/dialect``, installed as users do: the command line lists it, and reads the telemetry of its agent."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

S = 1_000_000_000


def span(number: int, name: str, parent: int = 0, **attributes: object) -> dict[str, object]:
    """A span of the agent, as OTLP/JSON."""
    kinds = {str: "stringValue", int: "intValue"}
    return {
        "traceId": "a" * 32,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "startTimeUnixNano": str((1_779_095_523 + number) * S),
        "endTimeUnixNano": str((1_779_095_523 + (10 if name == "turn" else number)) * S),
        "attributes": [
            {"key": key, "value": {kinds[type(value)]: value}}
            for key, value in {"session.id": "s-1", **attributes}.items()
        ],
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed into it."""
    folder = tmp_path_factory.mktemp("site")
    source = Path(__file__).resolve().parents[2] / "examples" / "dialect"
    copy = shutil.copytree(source, folder / "source")  # builds leave things behind
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--target", str(folder / "packages"), str(copy)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "packages"


def modules(site: Path) -> str:
    """The path of modules of a process, with that folder."""
    known = [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return os.pathsep.join([str(site), *known])


def test_it_is_listed(start, site: Path) -> None:
    """With the package it comes from."""
    done = start("-m", "agent_otel", "dialects", "--json", PYTHONPATH=modules(site))
    assert done.returncode == 0, done.stderr
    (found,) = [each for each in json.loads(done.stdout) if each["name"] == "tinker"]
    assert found == {
        "name": "tinker",
        "about": "tinker 1.x: spans of turns and tools",
        "scopes": ["tinker.tracing"],
        "from": "tinker-dialect 1.0",
    }


def test_it_reads_its_agent(start, site: Path, tmp_path: Path) -> None:
    """Task, files, the failing command and the end of the run are in the record."""
    spans = [
        span(1, "turn", prompt="Fix the parser"),
        span(2, "open", 1, input='{"path": "parser.py"}', output="def parse(): ..."),
        span(3, "shell", 1, input='{"command": "pytest -q"}', output='{"exit_code": 1, "output": "1 failed"}'),
        span(4, "patch", 1, input='{"path": "parser.py"}', output="patched"),
        span(5, "index"),
    ]
    request = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "tinker.tracing"}, "spans": spans}]}]}
    (tmp_path / "traces.jsonl").write_text(json.dumps(request))
    done = start("-m", "agent_otel", "compact", tmp_path / "traces.jsonl", "--json", PYTHONPATH=modules(site))
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert (record["run_id"], record["agent"]["dialect"], record["outcome"]) == ("s-1", "tinker", "ended")
    assert record["task"]["objective"] == "Fix the parser"
    assert [file["path"] for file in record["files_inspected"]] == ["parser.py"]
    assert [file["path"] for file in record["changed_files"]] == ["parser.py"]
    assert [(command["command"], command["result"]) for command in record["commands"]] == [("pytest -q", "failed")]
    assert record["capture"]["unrecognised"] == 0
