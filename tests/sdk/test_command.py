"""Commands that are really run: what is seen of them, and that nothing of them is left behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from opentelemetry.trace import StatusCode

import agent_otel
from agent_otel.model import names
from agent_otel.sdk.process import KEPT_BYTES
from agent_otel.testing import record_runs

PY = sys.executable


def run_both(*arguments, **options) -> list[agent_otel.CommandResult]:
    """The same command through ``command`` and ``command_async``."""
    return [
        agent_otel.command(*arguments, **options),
        asyncio.run(agent_otel.command_async(*arguments, **options)),
    ]


def test_a_command_is_run_and_seen() -> None:
    """Exit code, output, its digest and size are those of the real process."""
    for result in run_both([PY, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"]):
        assert (result.result, result.exit_code, result.passed) == ("failed", 3, False)
        assert sorted(result.output.split()) == ["err", "out"]
        assert result.output_bytes == 8
        assert len(result.output_sha256) == 64
        assert result.duration_s > 0


def test_a_shell_text_is_run_by_the_shell() -> None:
    """Pipes and variables work, and the exit code is the shell's."""
    for result in run_both("printf 'a\\nb\\n' | wc -l; exit 4"):
        assert (result.output.strip(), result.exit_code) == ("2", 4)


def test_directory_environment_and_input_reach_the_command(tmp_path: Path) -> None:
    """``cwd``, ``env`` and ``stdin`` are the command's."""
    text = "import os, sys; print(os.getcwd(), os.environ['MINE'], sys.stdin.read())"
    environment = {**os.environ, "MINE": "yes"}
    for result in run_both([PY, "-c", text], cwd=tmp_path, env=environment, stdin="words"):
        assert result.output.split() == [str(tmp_path.resolve()), "yes", "words"]


def test_output_comes_as_it_is_printed() -> None:
    """The callback gets all of the output, also across a split code point."""
    text = "import sys; w = sys.stdout.buffer; [(w.write(bytes([b])), w.flush()) for b in 'aé€\\n'.encode()]"
    pieces: list[str] = []
    agent_otel.command([PY, "-c", text], on_output=pieces.append)
    assert "".join(pieces) == "aé€\n"
    pieces.clear()
    asyncio.run(agent_otel.command_async([PY, "-c", text], on_output=pieces.append))
    assert "".join(pieces) == "aé€\n"


def test_a_program_that_is_not_there_is_an_answer() -> None:
    """``not_started``, without exit code or exception."""
    for result in run_both(["no-such-program-anywhere"]):
        assert (result.result, result.exit_code) == ("not_started", None)


def test_an_empty_command_is_an_answer() -> None:
    """Nothing to run is ``not_started`` too."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        result = run.command("")
    assert result.result in {"passed", "not_started"}
    assert recorded.record.commands


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie that nobody has waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    """Waits for a process to be gone."""
    deadline, pause = time.monotonic() + 10, threading.Event()
    while alive(pid) and time.monotonic() < deadline:
        pause.wait(0.01)
    return not alive(pid)


def test_a_time_out_ends_the_command_and_its_children() -> None:
    """The result is ``timed_out``, and no grandchild survives."""
    text = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    for result in run_both([PY, "-c", text], timeout=1.0):
        assert result.result == "timed_out"
        assert result.duration_s < 10
        assert gone(int(result.output))


def test_a_command_that_ignores_sigterm_is_killed() -> None:
    """After a grace period the time-out kills."""
    text = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(0.1)"
    )
    for result in run_both([PY, "-c", text], timeout=1.0):
        assert (result.result, result.exit_code) == ("timed_out", -signal.SIGKILL)


def test_a_child_that_keeps_the_pipe_open_does_not_hold_up_the_run() -> None:
    """A daemon left behind keeps the output open; the command has ended all the same."""
    text = (
        "import subprocess, sys\n"
        "p = subprocess.Popen(['sleep', '30'], start_new_session=True)\n"
        "print(p.pid, flush=True)"
    )
    for result in run_both([PY, "-c", text]):
        os.kill(int(result.output), signal.SIGKILL)
        assert result.result == "passed"
        assert result.duration_s < 20


def test_output_is_kept_within_bounds() -> None:
    """Of much output beginning and end are kept; size and digest are those of all of it."""
    size = 3 * KEPT_BYTES
    text = f"import sys; sys.stdout.write('A' + 'x' * {size - 2} + 'Z')"
    expected = hashlib.sha256(b"A" + b"x" * (size - 2) + b"Z").hexdigest()
    for result in run_both([PY, "-c", text]):
        assert result.output_bytes == size
        assert result.output_sha256 == expected
        assert len(result.output) == KEPT_BYTES
        assert (result.output[0], result.output[-1]) == ("A", "Z")


def test_output_that_is_no_text_is_repaired() -> None:
    """Bytes that are not UTF-8 do not break anything."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        run.command([PY, "-c", "import sys; sys.stdout.buffer.write(b'\\xff\\x00ok')"])
    assert "ok" in recorded.record.commands[0].output.tail


def test_what_the_callback_raises_reaches_the_caller_and_ends_the_command() -> None:
    """The user's own exception passes through untouched, and no process is left."""
    pids: list[int] = []

    def stop(text: str) -> None:
        pids.append(int(text))
        raise LookupError("enough")

    command = [PY, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
    with pytest.raises(LookupError, match="enough"):
        agent_otel.command(command, on_output=stop)
    assert gone(pids[0])


def test_a_cancelled_task_ends_its_command() -> None:
    """Nobody waits for the end, and nothing runs on; the record says unknown."""
    started: list[int] = []

    async def main() -> None:
        seen = asyncio.Event()

        def note(text: str) -> None:
            started.append(int(text))
            seen.set()

        command = [PY, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
        task = asyncio.create_task(agent_otel.command_async(command, on_output=note))
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with record_runs(git=False) as recorded, agent_otel.run("Fix"):
        asyncio.run(main())
    assert gone(started[0])
    assert [command.result for command in recorded.record.commands] == ["unknown"]
    (span,) = [span for span in recorded.spans if span.name.startswith("execute_tool")]
    assert span.attributes[names.ERROR_TYPE] == "cancelled"


def test_the_span_of_a_command_follows_the_conventions() -> None:
    """Name, executable, arguments, exit code, and status ERROR with ``nonzero_exit``."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix", agent="fixer") as run:
        run.command(["sh", "-c", "exit 2"], cwd="/")
    (span,) = [span for span in recorded.spans if span.name == "execute_tool run_command sh"]
    assert span.attributes[names.PROCESS_EXECUTABLE_NAME] == "sh"
    assert span.attributes[names.PROCESS_COMMAND_ARGS] == ("sh", "-c", "exit 2")
    assert span.attributes[names.PROCESS_WORKING_DIRECTORY] == "/"
    assert span.attributes[names.PROCESS_EXIT_CODE] == 2
    assert span.attributes[names.ERROR_TYPE] == "nonzero_exit"
    assert span.status.status_code is StatusCode.ERROR


def test_a_command_in_a_decorated_tool_is_one_tool_call() -> None:
    """The command's span carries the tool's name, and the call is counted and measured once."""

    @agent_otel.tool
    def run_tests() -> str:
        return agent_otel.command([PY, "-c", "print('ok')"]).output

    with record_runs(git=False) as recorded:
        with agent_otel.run("Fix", budgets={"tool_calls": 9}):
            run_tests()
        points = recorded.metrics()
    assert [(call.name, call.calls) for call in recorded.record.tool_calls] == [("run_tests", 1)]
    assert recorded.record.budgets["tool_calls"].consumed == 1
    assert [(point.attributes["tool"], point.value) for point in points[names.METRIC_TOOLS_CALLED]] == [
        ("run_tests", 1)
    ]


def test_the_record_of_a_command_has_its_tree(repo: Path, git) -> None:
    """A command carries the git tree it ran on: a later edit makes it another one."""
    with record_runs() as recorded, agent_otel.run("Fix", repo=repo) as run:
        first = run.command(["true"], cwd=repo)
        (repo / "a.txt").write_text("changed\n")
        second = run.command(["true"], cwd=repo)
    assert first.tree == git(repo, "rev-parse", "HEAD^{tree}")
    assert second.tree != first.tree
    assert [command.tree for command in recorded.record.commands] == [first.tree, second.tree]
    assert recorded.record.final.tree == second.tree


def test_the_child_gets_the_trace_and_the_run() -> None:
    """TRACEPARENT names the command's span, AGENT_OTEL_RUN the run."""
    text = "import os; print(os.environ['TRACEPARENT'], os.environ['AGENT_OTEL_RUN'])"
    with record_runs(git=False) as recorded, agent_otel.run("Fix", id="run-7") as run:
        result = run.command([PY, "-c", text])
    parent, run_id = result.output.split()
    (span,) = [span for span in recorded.spans if span.name.startswith("execute_tool")]
    assert parent.split("-")[2] == format(span.context.span_id, "016x")
    assert run_id == "run-7"


SECRET = "ghp_" + "a1B2" * 9


def test_secrets_of_a_command_stay_home() -> None:
    """Arguments, shell text and output are masked wherever they go, and the result itself is not touched."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        result = run.command([PY, "-c", f"print('token {SECRET}')", "--password", "hunter2-hunter2"])
        run.command(f"echo {SECRET}")
        run.record_command(f"curl -H 'Authorization: Bearer {SECRET}'", exit_code=0, output=SECRET)
        run.failure(command=result, error=f"refused {SECRET}", suspected_cause="x")
    sent = "".join(span.to_json() for span in recorded.spans) + "".join(log.to_json() for log in recorded.logs)
    assert SECRET in result.output
    assert SECRET not in sent
    assert "hunter2-hunter2" not in sent
    assert "[REDACTED:" in sent
    assert recorded.record.capture.redactions > 0
    assert "secret-redacted" in [finding.rule for finding in recorded.record.findings]


def test_the_tail_keeps_the_end_of_the_output() -> None:
    """The pass/fail line stands at the end, and stays."""
    with record_runs(git=False, output_tail=200) as recorded, agent_otel.run("Fix") as run:
        run.command([PY, "-c", "print('x' * 5000); print('1 failed, 41 passed')"])
    output = recorded.record.commands[0].output
    assert output.tail.rstrip().endswith("1 failed, 41 passed")
    assert len(output.tail.encode()) <= 200
    assert output.bytes == 5021


def test_a_command_of_somebody_else_is_a_claim() -> None:
    """``record_command`` says who observed it, and derives the result from the exit code."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        passed = run.record_command(["pnpm", "test"], exit_code=0, duration_s=1.5)
        run.record_command("pnpm lint", result="denied")
        run.record_command("pnpm build")
    assert passed.passed
    found = [(each.command, each.result, each.observer, each.duration_s) for each in recorded.record.commands]
    assert found == [
        ("pnpm test", "passed", "agent", 1.5),
        ("pnpm lint", "denied", "agent", None),
        ("pnpm build", "unknown", "agent", None),
    ]


def test_unbalanced_quotes_are_run_and_recorded_as_they_are() -> None:
    """A shell text that no parser splits is still a command."""
    with record_runs(git=False) as recorded, agent_otel.run("Fix") as run:
        result = run.command("echo 'unclosed")
    assert result.result == "failed"
    assert recorded.record.commands[0].command == "echo 'unclosed"
