"""``agent-otel run`` around real agents: real processes with real SDKs, in real repositories, killed and not."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent_otel.launch.child import Child, status_of
from real.cached import built, exporter

JAVASCRIPT_AGENT = """
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { BatchSpanProcessor, TracerProvider } = require('@opentelemetry/sdk-trace');
const metrics = require('@opentelemetry/sdk-metrics');
new metrics.PeriodicExportingMetricReader({  // as its NodeSDK makes one
  exporter: new metrics.InMemoryMetricExporter(metrics.AggregationTemporality.DELTA),
  exportIntervalMillis: Number(process.env.OTEL_METRIC_EXPORT_INTERVAL),
  exportTimeoutMillis: Number(process.env.OTEL_METRIC_EXPORT_TIMEOUT),
});
const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter() });
const provider = new TracerProvider({ spanProcessors: [processor] });
const span = provider.getTracer('some.agent').startSpan('execute_tool read_file');
span.setAttributes({ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'read_file' });
span.end();
await provider.shutdown();
process.exit(Number(process.argv[3]));
"""


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("code", "outcome"), [(0, "ended"), (3, "failed")])
def test_the_exit_code_passes_through_and_is_the_outcome(launching, code, outcome):
    """What the agent ends with ``agent-otel run`` ends with, and the record says it."""
    status, out, err = launching.run("run", "--", *launching.python("exit", code))
    assert (status, out) == (code, "")
    (record,) = launching.records()
    assert (record.lifecycle, record.outcome) == ("settled", outcome)
    assert record.run_id in err
    assert [failure.error for failure in record.failures] == ([] if code == 0 else ["exit code 3"])


def test_the_telemetry_of_the_agent_is_in_the_record(launching):
    """A tool call that an SDK sent, nothing told it of us, stands in the one record."""
    record = launching.json("--task", "read it", "--", *launching.python("exit", 0))
    assert record["task"]["objective"] == "read it"
    assert record["agent"]["dialect"] == "genai"
    assert [call["name"] for call in record["tool_calls"]] == ["read_file"]
    assert len(launching.records()) == 1


def test_an_agent_that_knows_no_environment_is_of_the_run_all_the_same(launching):
    """Whatever comes to the receiver of a run is of that run, also from an SDK with a resource of its own making."""
    record = launching.json("--", *launching.python("exit", 0), ALOOF="1")
    assert [call["name"] for call in record["tool_calls"]] == ["read_file"]
    assert len(launching.records()) == 1


def test_secrets_of_the_agent_stay_out_of_the_database(launching):
    """Those that look like one, and those in the user's environment that look like nothing."""
    token, password = "ghp" + "_" + "Fake1" * 8, "nothing-special-9"
    said = f"pushed with {token}, logged in with {password}"
    record = launching.json("--", *launching.python("exit", 0), SAY=said, APP_PASSWORD=password)
    assert record["capture"]["redactions"] == 2
    kept = b"".join(path.read_bytes() for path in launching.database.parent.iterdir())
    assert b"pushed with [REDACTED:github-token" in kept
    for secret in (token, password):
        assert secret.encode() not in kept


def test_an_edit_that_no_telemetry_shows_is_in_the_record(launching, git):
    """Edits through the shell are in the diff; base and final tree are those of git."""
    commit = git(launching.root, "rev-parse", "HEAD")
    record = launching.json("--", "sh", "-c", "sed -i s/one/eins/ a.txt && echo new > b.txt && rm src/app.py")
    assert {entry["path"]: entry["operation"] for entry in record["changed_files"]} == {
        "a.txt": "edit",
        "b.txt": "create",
        "src/app.py": "delete",
    }
    assert record["base"] == {
        "repository": "repo",
        "branch": "work",
        "commit": commit,
        "tree": git(launching.root, "rev-parse", "HEAD^{tree}"),
        "dirty": False,
    }
    git(launching.root, "add", "-A")
    assert record["final"] == {"commit": commit, "tree": git(launching.root, "write-tree"), "dirty": True}


def test_an_agent_in_javascript(launching):
    """The SDK of JavaScript sends by the same variables."""
    program = launching.agent.with_suffix(".mjs")
    program.write_text(JAVASCRIPT_AGENT)
    record = launching.json("--", "node", program, built(exporter("js")), "4")
    assert [call["name"] for call in record["tool_calls"]] == ["read_file"]
    assert record["outcome"] == "failed"


def test_the_agent_is_told_where_it_is(launching):
    """It runs in the trace of its run, and knows the run's id, so that whatever it starts does, too."""
    record = launching.json("--", "sh", "-c", "echo $TRACEPARENT $AGENT_OTEL_RUN > told.txt")
    _, trace, rest = (launching.root / "told.txt").read_text().split("-", 2)
    assert record["capture"]["traces"] == [trace]
    assert rest.split()[1] == record["run_id"]


def test_without_its_extra_the_command_says_what_to_install(python, repo):
    """In one line; and with an endpoint nothing of it is needed."""
    program = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from agent_otel.cli.main import main\n"
        "main(['run', '--', 'touch', 'ran'])"
    )
    done = python(program, cwd=repo)
    assert done.returncode == 1
    assert "agent-otel run without --endpoint needs 'uvicorn'" in done.stderr
    assert 'pip install "agent-otel[processor]"' in done.stderr
    assert not (repo / "ran").exists()
    elsewhere = program.replace("['run', ", "['run', '--endpoint', 'http://127.0.0.1:1', ")
    assert python(elsewhere, cwd=repo).returncode == 0
    assert (repo / "ran").exists()


def test_a_killed_agent_leaves_a_record(launching):
    """What it sent before is there, and the record says how it ended."""
    running = launching.start("run", "--", *launching.python("hang", ""))
    assert running.line() == "ready"
    assert running.line() == "waiting"
    (child,) = children(running.process.pid)
    os.kill(child, signal.SIGKILL)
    status, _, err = running.ended()
    assert status == 128 + signal.SIGKILL
    (record,) = launching.records()
    assert (record.lifecycle, record.outcome) == ("settled", "interrupted")
    assert [call.name for call in record.tool_calls] == ["read_file"]
    assert record.run_id in err


def test_sigterm_is_passed_on(launching):
    """The agent ends in its own way, and its record is written."""
    running = launching.start("run", "--", *launching.python("hang", "polite"))
    assert [running.line(), running.line()] == ["ready", "waiting"]
    running.process.send_signal(signal.SIGTERM)
    status, _, err = running.ended()
    assert status == 5
    (record,) = launching.records()
    assert (record.lifecycle, record.outcome) == ("settled", "failed")
    assert record.run_id in err


def test_who_kills_us_leaves_a_record_too(launching, git):
    """What was known by then is kept: the run is open, with its task and its base."""
    running = launching.start("run", "--task", "Fix it", "--", *launching.python("hang", ""))
    assert [running.line(), running.line()] == ["ready", "waiting"]
    (child,) = children(running.process.pid)
    running.process.kill()
    running.process.wait(20)
    os.kill(child, signal.SIGKILL)
    running.ended()
    (record,) = launching.records()
    assert (record.lifecycle, record.task.objective) == ("open", "Fix it")
    assert record.base is not None
    assert record.base.commit == git(launching.root, "rev-parse", "HEAD")
    assert [call.name for call in record.tool_calls] == ["read_file"]


def test_who_does_not_heed_sigterm_is_killed(tmp_path):
    """After a while, and then the run is recorded like that of any other killed agent."""
    deaf = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    program = (
        "import os, sys; from agent_otel.launch.child import Child; child = Child(grace_s=0.2)\n"
        "with child.signals(): code = child.run([sys.executable, '-c', sys.argv[1]], os.environ)\n"
        "sys.exit(100 - code)"
    )
    running = subprocess.Popen([sys.executable, "-c", program, deaf], stdout=subprocess.PIPE)
    assert running.stdout is not None
    with running.stdout:
        assert running.stdout.readline() == b"up\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 100 + signal.SIGKILL


def test_a_signal_that_comes_too_early_waits():
    """One that arrives before the program is there is passed on once it is."""
    child = Child()
    with child.signals():
        os.kill(os.getpid(), signal.SIGTERM)
        assert child.run([sys.executable, "-c", "import time; time.sleep(60)"], os.environ) == -signal.SIGTERM


@pytest.mark.parametrize(("code", "status"), [(0, 0), (3, 3), (-9, 137), (-15, 143)])
def test_exit_codes_are_those_of_shells(code, status):
    """128 and the signal's number."""
    assert status_of(code) == status


def test_the_terminal_passes_through(launching):
    """The agent has the terminal: it is one, has its size, and Ctrl-C reaches it once, as if nobody stood between."""
    program = (
        "import os, signal, sys\n"
        "print([os.isatty(number) for number in range(3)], os.get_terminal_size().columns, flush=True)\n"
        "heard = []\n"
        "signal.signal(signal.SIGINT, lambda *_: heard.append(1))\n"
        "print('ready', flush=True)\n"
        "while not heard: signal.pause()\n"
        "signal.sigtimedwait([signal.SIGUSR1], 0.3)\n"  # a second one would have come by then
        "sys.exit(40 + len(heard))\n"
    )
    terminal, theirs = pty.openpty()
    take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-m", "agent_otel", "run", "--no-show", "--", sys.executable, "-c", program]
    running = subprocess.Popen(
        [sys.executable, "-c", take, *command],
        cwd=launching.root,
        env=launching.environ(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # whose terminal the first one becomes that asks for it
    )
    os.close(theirs)
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    status = running.wait(40)
    os.close(terminal)
    assert b"[True, True, True] " in said
    assert status == 41
    (record,) = launching.records()
    assert record.outcome == "failed"


def test_the_users_resource_attributes_are_kept(launching):
    """The agent's telemetry carries them, and the repository, branch, base commit and run beside them."""
    record = launching.json("--", *launching.python("exit", 0), OTEL_RESOURCE_ATTRIBUTES="team=core")
    theirs = [item for item in launching.items(record["run_id"]) if b"some.agent" in item]
    assert len(theirs) == 1
    for said in ("team", "core", "vcs.repository.name", "repo", "vcs.ref.head.name", "work", record["base"]["commit"]):
        assert said.encode() in theirs[0]
    assert record["run_id"].encode() in theirs[0]


def test_nothing_of_the_user_is_touched(launching, git):
    """No file of his home, none of his repository; the records lie in a folder that git ignores."""
    (launching.home / ".claude").mkdir()
    (launching.home / ".claude" / "settings.json").write_text("{}")
    before = files_of(launching.home), files_of(launching.root)
    programs = launching.home.parent / "bin"
    programs.mkdir()
    for name in ("claude", "codex", "gemini", "opencode"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        assert launching.run("run", "--content", "--", name, "do it", PATH=path)[0] == 0
    home, repository = before
    assert files_of(launching.home) == home
    kept = {name: content for name, content in files_of(launching.root).items() if not name.startswith(".agent-otel/")}
    assert kept == repository
    assert git(launching.root, "status", "--porcelain") == ""
    assert {record.agent.name for record in launching.records()} == {"claude-code", "codex", "gemini-cli", "opencode"}


def test_a_run_inside_of_a_run_is_its_part(launching):
    """An agent that launches another one under instruments has a record of its own, and so has the other."""
    inner = f"{sys.executable} -m agent_otel run --no-show --agent inner -- true"
    assert launching.run("run", "--agent", "outer", "--", "sh", "-c", inner)[0] == 0
    outer, child = sorted(launching.records(), key=lambda record: record.parent_run or "")
    assert (outer.agent.name, child.agent.name) == ("outer", "inner")
    assert (outer.parent_run, child.parent_run) == (None, outer.run_id)


def test_a_run_that_does_another_again_says_so(launching):
    """Its own agents inside of it do not."""
    inner = f"{sys.executable} -m agent_otel run --no-show --agent inner -- true"
    assert launching.run("run", "--redo-of", "first", "--agent", "outer", "--", "sh", "-c", inner)[0] == 0
    told = {record.agent.name: record.redo_of for record in launching.records()}
    assert told == {"outer": ("first",), "inner": ()}
    code, _, stderr = launching.run("run", "--redo-of", " ", "--", "true")
    assert (code, "expected words, got none" in stderr) == (2, True)


def test_an_agent_with_our_own_sdk_is_a_part_of_the_run(launching):
    """Its runs name the launched one as their parent."""
    program = (
        "import agent_otel\n"
        "agent_otel.configure()\n"
        "with agent_otel.run('Fix it', agent='mine', id='mine-1') as run: run.command(['true'])\n"
    )
    record = launching.json("--", sys.executable, "-c", program)
    (own,) = [each for each in launching.records() if each.run_id == "mine-1"]
    assert (own.parent_run, own.outcome) == (record["run_id"], "ended")
    assert [entry.command for entry in own.commands] == ["true"]


def test_a_contract_judges_the_run(launching):
    """A required check of which nothing was seen is a finding."""
    contract = launching.home.parent / "contract.toml"
    contract.write_text('objective = "Fix it"\n[[required_checks]]\nname = "unit"\ncommand = "pytest*"\n')
    record = launching.json("--contract", contract, "--", "true")
    assert record["task"]["objective"] == "Fix it"
    assert record["review_state"] == "missing required evidence"
    assert "missing-required-check" in {finding["rule"] for finding in record["findings"]}


def test_the_contract_of_the_repository_judges_what_is_shown(launching):
    """As it will judge ``agent-otel show``; an agent that broke the contract does not lose its record."""
    contract = launching.root / "agent-otel.toml"
    contract.write_text('[[required_checks]]\nname = "unit"\ncommand = "pytest*"\n')
    assert launching.json("--", "true")["review_state"] == "missing required evidence"
    status, out, err = launching.run("run", "--json", "--", "sh", "-c", "echo 'scop = []' > agent-otel.toml")
    assert (status, json.loads(out)["review_state"]) == (0, "incomplete")
    assert "unknown key 'scop'; did you mean 'scope'?" in err


def test_a_contract_that_is_wrong_is_told_before_anything_runs(launching):
    """With the nearest known key."""
    contract = launching.home.parent / "contract.toml"
    contract.write_text('scop = ["src/**"]\n')
    status, _, err = launching.run("run", "--contract", contract, "--", "touch", "ran")
    assert status == 2
    assert "unknown key 'scop'; did you mean 'scope'?" in err
    assert not (launching.root / "ran").exists()


@pytest.mark.parametrize(
    ("program", "status", "said"),
    [("no-such-agent", 127, "command not found"), ("./broken", 126, "broken: ")],
)
def test_what_cannot_be_started(launching, program, status, said):
    """Is told as a shell tells it."""
    (launching.root / "broken").write_bytes(b"\x7fELF, or so it says")
    (launching.root / "broken").chmod(0o755)
    code, _, err = launching.run("run", "--", program)
    assert code == status
    assert said in err


def test_who_cannot_be_told_where_to_send_is_named(launching):
    """Codex hears by arguments alone; a wrapper around it is run as it is, and the user knows."""
    status, out, err = launching.run("run", "--no-show", "--agent", "codex", "--", "echo", "wrapped")
    assert (status, out) == (0, "wrapped\n")
    assert "codex is told by arguments where to send" in err


def test_standard_output_is_the_agents(launching):
    """Ours goes to standard error; with --json the record follows what the agent printed."""
    status, out, err = launching.run("run", "--", "echo", "hello")
    assert (status, out) == (0, "hello\n")
    assert "What did it do?" in err
    _, out, err = launching.run("run", "--json", "--", "echo", "hello")
    assert out.startswith("hello\n{")
    assert json.loads(out.removeprefix("hello\n"))["outcome"] == "ended"
    assert "What did it do?" not in err
    assert launching.run("run", "--no-show", "--", "true") == (0, "", "")


def test_the_record_lies_where_the_user_says(launching):
    """``--db`` names the database."""
    with tempfile.TemporaryDirectory() as folder:
        record = launching.json("--db", Path(folder) / "x.db", "--", "true")
        assert not launching.database.exists()
        _, out, _ = launching.run("show", "--json", "--db", Path(folder) / "x.db", "last")
        assert json.loads(out)["run_id"] == record["run_id"]


def test_a_database_that_has_processors(launching, serve, postgres_url):
    """What came is kept in it, without its secrets, and the record is the one that a processor folds."""
    serve("--debounce-s", "0.1", db=postgres_url)
    record = launching.json("--db", postgres_url, "--", *launching.python("exit", 3), SAY="ghp" + "_" + "Fake1" * 8)
    assert (record["outcome"], record["capture"]["redactions"]) == ("failed", 1)
    assert [call["name"] for call in record["tool_calls"]] == ["read_file"]
    assert not launching.database.exists()


def test_a_folder_that_is_no_repository(launching, tmp_path):
    """The run is recorded, without a base and a diff."""
    launching.root = tmp_path / "plain"
    launching.root.mkdir()
    launching.database = launching.root / ".agent-otel" / "runs.db"
    record = launching.json("--", "sh", "-c", "echo new > a.txt")
    assert record["outcome"] == "ended"
    assert "commit" not in record.get("base", {})
    assert record["changed_files"] == []


def test_an_endpoint_elsewhere(launching, processor):
    """Agent and harness send to a processor; nothing is kept here, and the record comes from there."""
    record = launching.json("--endpoint", processor.http, "--", *launching.python("exit", 3))
    assert record["outcome"] == "failed"
    assert [call["name"] for call in record["tool_calls"]] == ["read_file"]
    assert not launching.database.exists()


def test_an_endpoint_that_is_away(launching):
    """The agent runs all the same, and the user is told where the record is not."""
    status, _, err = launching.run("run", "--endpoint", "http://127.0.0.1:1", "--", "sh", "-c", "exit 3")
    assert status == 3
    assert "is not here" in err


def test_telemetry_that_went_elsewhere_comes_here(launching, processor):
    """Variables that would divert the agent's telemetry are overridden, and the user is told."""
    _, _, err = launching.run(
        "run", "--", *launching.python("exit", 0), OTEL_EXPORTER_OTLP_ENDPOINT=processor.http, OTEL_SDK_DISABLED="true"
    )
    assert "--endpoint sends there" in err
    (record,) = launching.records()
    assert [call.name for call in record.tool_calls] == ["read_file"]


def test_a_database_and_an_endpoint_are_one_too_many(launching):
    """One of them is chosen."""
    status, _, err = launching.run("run", "--endpoint", "http://127.0.0.1:1", "--db", "x.db", "--", "true")
    assert status == 2
    assert "choose one of --endpoint and --db" in err


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
