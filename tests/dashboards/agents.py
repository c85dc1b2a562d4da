"""Agents at work, each in its own way: ``agents.py FOLDER``. They work once for each line of standard input.

Their telemetry goes where ``OTEL_*`` says. After each round a line says how many spans and log records were sent, ever.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor

import agent_otel

CHECK = agent_otel.RequiredCheck(name="unit", command="python3 -c*")
E2E = agent_otel.RequiredCheck(name="e2e: invite-flow")
PASSES = ("python3", "-c", "pass")
FAILS = ("python3", "-c", "raise SystemExit(1)")


@agent_otel.tool(reads="path", reason="why")
def read_file(path: Path, why: str) -> str:
    """Reads a file."""
    return path.read_text()


@agent_otel.tool(writes="path")
def write_file(path: Path, content: str) -> None:
    """Writes a file."""
    path.write_text(content)


@agent_otel.tool
def push() -> None:
    """Is never allowed."""
    agent_otel.gate("push", "deny", policy="no-push", reason="releases are made by hand")
    raise agent_otel.Denied("releases are made by hand")


def proves(repo: Path) -> None:
    """Changes a file, and then proves that it was right to."""
    with _run("careful", repo, "Fix the guard", required_checks=[CHECK], budgets=agent_otel.Budgets(steps=40)) as run:
        _edit(repo)
        run.step()
        run.usage(input_tokens=1_200, output_tokens=300, model="some-model")
        run.verification("unit", evidence=run.command(PASSES, cwd=repo))
        run.final_message("All tests pass.")
        run.handoff("done", blockers=[], next_action="merge it", assumptions=[], risks=[], look_twice=[])


def goes_stale(repo: Path) -> None:
    """Proves it, and changes the file once more."""
    with _run("hasty", repo, "Fix the guard", required_checks=[CHECK], budgets=agent_otel.Budgets(tokens=1_000)) as run:
        _edit(repo)
        run.verification("unit", evidence=run.command(PASSES, cwd=repo))
        _edit(repo)
        run.usage(input_tokens=2_400, output_tokens=600, model="another-model")
        run.handoff("done", blockers=[], next_action="run the tests again", assumptions=[], risks=[], look_twice=[])


def says_otherwise(repo: Path) -> None:
    """Says that it passed what failed; the failed command is never tried again."""
    with _run("boastful", repo, "Fix the guard", required_checks=[CHECK]) as run:
        run.verification("unit", evidence=run.command(FAILS, cwd=repo), passed=True)
        run.command(["git", "no-such-command"], cwd=repo)
        _edit(repo)
        run.final_message("I fixed it. All 4 tests pass.")
        run.handoff("done", blockers=[], next_action="review", assumptions=[], risks=[], look_twice=[])


def runs_into_walls(repo: Path) -> None:
    """Cannot run a required check, is not allowed to push, and waits for a command in vain."""
    with _run("careful", repo, "Publish it", required_checks=[CHECK, E2E]) as run:
        run.skipped("e2e: invite-flow", reason="preview service unavailable", unavailable=True)
        run.command(["sleep", "30"], cwd=repo, timeout=0.2)
        try:
            push()
        except agent_otel.Denied:
            run.failure(error="the push was denied", suspected_cause="releases are made by hand")
        run.handoff("patch with blocker", blockers=["no e2e"], next_action="run e2e in CI", risks=[], look_twice=[])


def breaks(repo: Path) -> None:
    """Dies of an exception of its own."""
    try:
        with _run("hasty", repo, "Fix the guard"):
            read_file(repo / "missing.txt", why="to see")
    except FileNotFoundError:
        pass


AGENTS: tuple[Callable[[Path], None], ...] = (proves, goes_stale, says_otherwise, runs_into_walls, breaks)


class Counter(SpanProcessor, LogRecordProcessor):
    """Counts what is sent."""

    spans = logs = 0

    def on_end(self, span: object) -> None:
        """A span."""
        self.spans += 1

    def on_emit(self, log_record: object) -> None:
        """A log record."""
        self.logs += 1

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        return True


def _run(agent: str, repo: Path, task: str, **more: object) -> agent_otel.run:
    return agent_otel.run(task, agent=agent, repo=repo, scope=["**"], exclusions=[], **more)


def _edit(repo: Path) -> None:
    path = repo / "guard.py"
    write_file(path, read_file(path, why="the 403 is raised here") + "# allowed\n")


def _repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "guard.py").write_text("allowed = False\n")
    for command in (["init", "--quiet", "--initial-branch=work"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def main() -> None:
    """Works until there are no more lines."""
    agent_otel.configure(service_name="agents")
    counter = Counter()
    trace.get_tracer_provider().add_span_processor(counter)
    get_logger_provider().add_log_record_processor(counter)
    for number, _ in enumerate(sys.stdin):
        for agent in AGENTS:
            agent(_repository(Path(sys.argv[1]) / f"{number}-{agent.__name__}" / "invite-app"))
        agent_otel.flush()
        metrics.get_meter_provider().force_flush()
        sys.stdout.write(f"{counter.spans} {counter.logs}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
