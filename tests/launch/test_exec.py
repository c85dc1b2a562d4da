"""``agent-otel exec`` inside and outside of runs, as scripts, hooks and Makefiles call it."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys

import pytest

from agent_otel.launch.child import status_of

EXEC = f"{sys.executable} -m agent_otel exec"


def script(launching, text: str) -> list[str]:
    """A program of the user's that calls us."""
    path = launching.home.parent / "script.sh"
    path.write_text(text)
    return ["sh", str(path)]


def test_a_command_inside_of_a_run_is_observed(launching, git):
    """With its tree, exit code, duration, output digest and tail; and the run's contract takes it for its check."""
    contract = launching.home.parent / "contract.toml"
    contract.write_text('[[required_checks]]\nname = "unit"\ncommand = "sh -c*"\n')
    command = script(launching, f"echo new > b.txt\n{EXEC} -- sh -c 'echo 4 passed; echo careful >&2'\n")
    record = launching.json("--contract", contract, "--", *command)
    (entry,) = record["commands"]
    assert entry["command"] == "sh -c 'echo 4 passed; echo careful >&2'"
    assert (entry["result"], entry["exit_code"], entry["observer"]) == ("passed", 0, "harness")
    assert entry["tree"] == record["final"]["tree"]
    assert entry["duration_s"] > 0
    printed = b"4 passed\ncareful\n"
    assert entry["output"]["bytes"] == len(printed)
    assert sorted(entry["output"]["tail"].splitlines()) == ["4 passed", "careful"]
    assert entry["output"]["sha256"] in {hashlib.sha256(text).hexdigest() for text in (printed, b"careful\n4 passed\n")}
    (check,) = record["verifications"]
    assert (check["check"], check["required"], check["outcome"]) == ("unit", True, "pass")
    assert (check["level"], check["verdict"], check["command_id"]) == ("observed", "proved", entry["id"])


def test_a_check_that_is_named_is_a_verification(launching):
    """Also without a contract; a later edit makes it stale."""
    command = script(launching, f"{EXEC} --name unit -- true\necho new > b.txt\n")
    record = launching.json("--", *command)
    (check,) = record["verifications"]
    assert (check["check"], check["outcome"], check["level"], check["verdict"]) == ("unit", "pass", "observed", "stale")


def test_a_report_that_the_command_writes_is_bound(launching):
    """By its digest, as it was when the command ended; one that it does not write is not."""
    line = f"{EXEC} --name unit --report out.xml --report absent.xml -- sh -c 'printf hello > out.xml'\n"
    record = launching.json("--", *script(launching, line))
    (file,) = record["commands"][0]["files"]
    assert (file["path"], file["sha256"], file["bytes"]) == ("out.xml", hashlib.sha256(b"hello").hexdigest(), 5)
    assert record["verifications"][0]["level"] == "bound"


def test_output_passes_through_live(launching):
    """Each stream to its own, before the command ends; its input and its exit code are the user's."""
    program = (
        "import sys; print('out', flush=True); print('err', file=sys.stderr, flush=True);"
        "print(sys.stdin.readline().strip(), flush=True); sys.exit(3)"
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "agent_otel", "exec", "--", sys.executable, "-c", program],
        cwd=launching.root,
        env=launching.environ(AGENT_OTEL_RUN="run-1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "out\n"
    out, err = running.communicate("typed\n", timeout=40)
    assert (running.returncode, out, err) == (3, "typed\n", "err\n")
    (record,) = launching.records()
    assert (record.run_id, record.commands[0].exit_code) == ("run-1", 3)


@pytest.mark.parametrize(
    ("command", "status", "result"),
    [
        (["false"], 1, "failed"),
        (["sh", "-c", "kill -9 $$"], 137, "failed"),
        (["no-such-program"], 127, "not_started"),
        (["./a.txt"], 126, "not_started"),
    ],
    ids=["failed", "killed", "missing", "no program"],
)
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_the_exit_code_is_the_commands(launching, command, status, result, inside):
    """Inside of a run and outside, where it is not recorded and the user is told."""
    code, _, err = launching.run("exec", "--", *command, **({"AGENT_OTEL_RUN": "run-1"} if inside else {}))
    assert status_of(code) == status  # outside, the command is the process itself
    assert ("not inside of a run" in err) is not inside
    if inside:
        (record,) = launching.records()
        assert [entry.result for entry in record.commands] == [result]
    else:
        assert not launching.database.exists()


def test_a_trace_is_enough(launching):
    """Where only TRACEPARENT tells, the command belongs to that trace."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert launching.run("exec", "--", "true", TRACEPARENT=f"00-{trace}-b7ad6b7169203331-01")[0] == 0
    (record,) = launching.records()
    assert record.capture.traces == (trace,)
    assert [entry.result for entry in record.commands] == ["passed"]


def test_a_command_may_ask_for_its_run(launching):
    """Nested calls are commands of the same run."""
    code, _, _ = launching.run("exec", "--", "sh", "-c", f"{EXEC} -- true", AGENT_OTEL_RUN="run-1")
    assert code == 0
    (record,) = launching.records()
    assert len(record.commands) == 2


def test_a_setting_that_is_wrong_keeps_nobody_from_his_command(launching):
    """The command runs, and the user is told that it is not recorded."""
    code, out, err = launching.run("exec", "--", "echo", "done", AGENT_OTEL_RUN="run-1", AGENT_OTEL_EVENTS="nowhere")
    assert (code, out) == (0, "done\n")
    assert "not recorded: events must be one of" in err


def test_a_signal_is_passed_on(launching):
    """SIGTERM ends the command in its own way, and it is recorded."""
    program = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); signal.pause()"
    running = launching.start("exec", "--", sys.executable, "-c", program, AGENT_OTEL_RUN="run-1")
    assert running.line() == "up"
    running.process.send_signal(signal.SIGTERM)
    assert running.ended()[0] == 7
    (record,) = launching.records()
    assert record.commands[0].exit_code == 7


def test_output_of_those_left_behind_is_not_waited_for(launching):
    """A child that holds the streams and lives on holds nobody up for long."""
    code, out, _ = launching.run("exec", "--", "sh", "-c", "echo here; sleep 60 & exit 0", AGENT_OTEL_RUN="run-1")
    assert (code, out) == (0, "here\n")


def test_who_reads_no_more_ends_the_command(launching):
    """As if nobody stood between, it hears that its output goes nowhere."""
    running = subprocess.Popen(
        [sys.executable, "-m", "agent_otel", "exec", "--", "yes"],
        cwd=launching.root,
        env=launching.environ(AGENT_OTEL_RUN="run-1"),
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"y\n"
    running.stdout.close()
    assert running.wait(40) == 128 + signal.SIGPIPE
    (record,) = launching.records()
    assert record.commands[0].exit_code == -signal.SIGPIPE
