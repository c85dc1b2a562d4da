"""The embedded mode, in real processes that end in every way a process can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent_otel.compaction.policy import Policy
from agent_otel.model.record import RunRecord
from agent_otel.service.fold import END_OF_TIME_NS, fold_due
from agent_otel.store.sqlite import SqliteStore

PROGRAM = """
import os, signal, sys, threading, agent_otel
telemetry = agent_otel.configure(service_name="victim", heartbeat_s={heartbeat})

@agent_otel.tool(reads="path", reason="why")
def read_file(path, why):
    return open(path).read()

def ready():
    print("ready", flush=True)

def wait():
    threading.Event().wait(60)

with agent_otel.run("Fix it", agent="victim", id="run-1", scope=["**"], exclusions=[]) as run:
    read_file({program!r}, "because")
    run.command([sys.executable, "-c", "raise SystemExit(1)"])
    run.decision("left", alternatives={{"right": "longer"}})
    {body}
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program with another body, and leaves no process behind."""
    started: list[subprocess.Popen[str]] = []

    def run(body: str, *, heartbeat: float = 0.0) -> subprocess.Popen[str]:
        script = tmp_path / "program.py"
        script.write_text(PROGRAM.format(body=body, heartbeat=heartbeat, program=str(script)))
        process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=tmp_path,
            env={**os.environ, "AGENT_OTEL_DB": str(tmp_path / "runs.db")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def ended(process: subprocess.Popen[str]) -> int:
    """Waits for the end of a process that should come by itself; its exit code."""
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors, errors
    return process.returncode


def records(path: Path, *, policy: Policy = Policy(), now_ns: int = END_OF_TIME_NS) -> list[RunRecord]:
    """What the store holds after folding what is due."""
    store = SqliteStore(path / "runs.db")
    try:
        fold_due(store, now_ns=now_ns, policy=policy)
        return store.records()
    finally:
        store.close()


def wait_for(path: Path, seen: Callable[[RunRecord], bool]) -> None:
    """Waits until the store's record of the run shows something."""
    deadline, pause = time.monotonic() + 20, threading.Event()
    while time.monotonic() < deadline:
        found = records(path, now_ns=time.time_ns()) if (path / "runs.db").exists() else []
        if found and seen(found[0]):
            return
        pause.wait(0.02)
    pytest.fail("the store never showed it")


def complete(record: RunRecord) -> bool:
    """Whether everything the program does before its body is in the record."""
    return bool(record.decisions and record.files_inspected and record.commands)


def test_a_record_is_ready_when_the_run_exits(start: Start, tmp_path: Path) -> None:
    """Without any fold of ours, the store holds the settled record of the run."""
    assert ended(start("run.handoff('done', blockers=[], next_action='merge')")) == 0
    store = SqliteStore(tmp_path / "runs.db")
    (record,) = store.records()
    assert store.stats().due == 0
    store.close()
    assert (record.run_id, record.lifecycle, record.outcome, record.revision) == ("run-1", "settled", "ended", 1)
    assert record.agent.service == "victim"
    assert [command.result for command in record.commands] == ["failed"]


def test_a_killed_process_leaves_a_record(start: Start, tmp_path: Path) -> None:
    """After SIGKILL the run is abandoned, with what had happened, and with the spans that were open."""
    process = start("run.command(['sh', '-c', 'echo $$; exec sleep 60'], on_output=lambda pid: print(pid, flush=True))")
    child = int(process.stdout.readline())
    wait_for(tmp_path, lambda record: complete(record) and len(record.capture.open_spans) > 1)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=20) == -signal.SIGKILL
    os.kill(child, signal.SIGKILL)
    (record,) = records(tmp_path)
    assert (record.lifecycle, record.outcome) == ("abandoned", "interrupted")
    assert record.task.objective == "Fix it"
    assert [each.reason for each in record.files_inspected] == ["because"]
    assert [(command.result, command.command[:2]) for command in record.commands][1:] == [("unknown", "sh")]
    assert {each.name for each in record.capture.open_spans} == {
        "invoke_agent victim",
        "execute_tool run_command sh",
    }
    assert record.review_state == "incomplete"


def test_a_killed_run_is_open_until_it_has_been_silent_for_long(start: Start, tmp_path: Path) -> None:
    """Lifecycle is computed: open at first, abandoned after the silence, and nobody has to write it down."""
    process = start("ready(); wait()")
    assert process.stdout.readline() == "ready\n"
    wait_for(tmp_path, complete)
    process.kill()
    process.wait(timeout=20)
    (record,) = records(tmp_path, now_ns=time.time_ns())
    assert (record.lifecycle, record.review_state) == ("open", "in progress")
    later = time.time_ns() + 3600 * 10**9
    (record,) = records(tmp_path, now_ns=later)
    assert record.lifecycle == "abandoned"
    assert record.revision > 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("sys.exit(3)", 3),
        ("raise KeyboardInterrupt", 130),
        ("os.kill(os.getpid(), signal.SIGTERM); wait()", -signal.SIGTERM),
    ],
    ids=["sys.exit", "Ctrl-C", "SIGTERM"],
)
def test_leaving_in_any_polite_way_loses_nothing(start: Start, tmp_path: Path, body: str, code: int) -> None:
    """Exit, interrupt and SIGTERM: everything recorded is in the store, and the exit code is the program's own."""
    process = start(body)
    process.communicate(timeout=30)
    assert process.returncode in {code, -signal.SIGINT if code == 130 else code}
    (record,) = records(tmp_path)
    assert complete(record)


def test_os_exit_keeps_what_had_ended(start: Start, tmp_path: Path) -> None:
    """``os._exit`` runs no handler; what had reached the writer is there."""
    process = start("agent_otel.flush(); os._exit(5)")
    assert process.wait(timeout=30) == 5
    (record,) = records(tmp_path)
    assert complete(record)
    assert record.outcome == "interrupted"


def test_a_forked_child_records_its_own_run(start: Start, tmp_path: Path) -> None:
    """Parent and child write to one database, and neither disturbs the other."""
    body = (
        "pid = os.fork()\n"
        "    if pid == 0:\n"
        "        with agent_otel.run('Child', agent='child', id='run-2') as child:\n"
        "            child.decision('c', alternatives={'d': 'e'})\n"
        "        agent_otel.flush()\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(pid, 0)[1] == 0"
    )
    assert ended(start(body)) == 0
    found = {record.run_id: record for record in records(tmp_path)}
    assert set(found) == {"run-1", "run-2"}
    assert found["run-2"].parent_run == "run-1"
    assert found["run-2"].outcome == "ended"
    assert complete(found["run-1"])


def test_forking_while_the_store_is_being_written_hangs_nobody(tmp_path: Path, python) -> None:
    """However busy the writer is, children come up with a store of their own (SQLite's locks survive a fork)."""
    done = python(
        "import agent_otel, os\n"
        "telemetry = agent_otel.configure(git=False)\n"
        "for number in range(30):\n"
        "    with agent_otel.run('Fix', id=f'parent-{number}') as run:\n"
        "        run.risk('a')\n"
        "        pid = os.fork()\n"
        "        if pid == 0:\n"
        "            with agent_otel.run('Fix', id=f'child-{number}') as child:\n"
        "                child.risk('b')\n"
        "            agent_otel.flush()\n"
        "            os._exit(0)\n"
        "        run.risk('c')\n"
        "        assert os.waitpid(pid, 0)[1] == 0\n",
        env={"AGENT_OTEL_DB": str(tmp_path / "runs.db"), "PYTHONWARNINGS": "ignore::DeprecationWarning"},
    )
    assert done.returncode == 0, done.stderr
    store = SqliteStore(tmp_path / "runs.db")
    assert sum(store.stats().records.values()) == 60
    store.close()


def test_a_heartbeat_keeps_a_quiet_run_open(start: Start, tmp_path: Path) -> None:
    """A run that only waits shows signs of life."""
    process = start("ready(); wait()", heartbeat=0.05)
    assert process.stdout.readline() == "ready\n"
    wait_for(tmp_path, complete)
    first = records(tmp_path, now_ns=time.time_ns())[0].capture.last_activity
    wait_for(tmp_path, lambda record: (record.capture.last_activity or "") > (first or ""))
    process.kill()


def test_a_store_that_cannot_be_written_never_breaks_the_program(tmp_path: Path, python) -> None:
    """The program goes on, one warning says why, and its exit code is its own."""
    (tmp_path / "file").write_text("not a folder")
    done = python(
        "import agent_otel\n"
        "agent_otel.configure()\n"
        "for number in range(3):\n"
        "    with agent_otel.run('Fix') as run:\n"
        "        run.decision('x')\n"
        "print('went on')",
        env={"AGENT_OTEL_DB": str(tmp_path / "file" / "runs.db")},
    )
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert done.stderr.count("agent-otel failed while writing to the run store") == 1


def test_several_processes_share_one_database(tmp_path: Path) -> None:
    """Three agents at once leave three records."""
    text = (
        "import agent_otel, sys\n"
        "agent_otel.configure()\n"
        "for number in range(5):\n"
        "    with agent_otel.run('Fix', id=f'run-{sys.argv[1]}-{number}') as run:\n"
        "        run.decision('x', alternatives={'y': 'z'})\n"
    )
    environment = {**os.environ, "AGENT_OTEL_DB": str(tmp_path / "runs.db"), "AGENT_OTEL_GIT": "false"}
    command = [sys.executable, "-c", text]
    started = [subprocess.Popen([*command, str(number)], env=environment, cwd=tmp_path) for number in range(3)]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    assert {record.run_id for record in records(tmp_path)} == {f"run-{p}-{n}" for p in range(3) for n in range(5)}


def test_a_span_that_ends_soon_is_written_once(tmp_path: Path, python) -> None:
    """A copy of an open span is written only for spans that stay open for a while."""
    done = python(
        "import agent_otel\n"
        "telemetry = agent_otel.configure(git=False)\n"
        "@agent_otel.tool\n"
        "def quick():\n"
        "    pass\n"
        "with agent_otel.run('Fix'):\n"
        "    agent_otel.flush()\n"
        "    for _ in range(50):\n"
        "        quick()\n"
        "telemetry.shutdown()\n"
        "from agent_otel.store.sqlite import SqliteStore\n"
        "print(SqliteStore(telemetry.database).stats().items)",
        env={"AGENT_OTEL_DB": str(tmp_path / "runs.db")},
    )
    # 50 calls, the run open and ended, two log events; a slow machine may catch a few of the calls still open.
    assert 54 <= int(done.stdout) <= 75, done.stderr


def test_a_database_that_is_removed_is_begun_anew(start: Start, tmp_path: Path) -> None:
    """Somebody clears up while the program runs: what comes afterwards is recorded, and nothing complains."""
    process = start("[path.unlink() for path in __import__('pathlib').Path('.').glob('runs.db*')]")
    assert ended(process) == 0
    assert [record.run_id for record in records(tmp_path)] == ["run-1"]
