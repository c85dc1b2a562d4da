"""One command between its start and its end: the span, what is passed to the child, what is recorded of it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agent_otel.model import names
from agent_otel.sdk import metrics
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.command_result import REQUIRED, CommandResult, described, values_of
from agent_otel.sdk.events import emit
from agent_otel.sdk.evidence import Given, bound, paths
from agent_otel.sdk.guard import guard
from agent_otel.sdk.process import Finished, Invocation, OnOutput
from agent_otel.sdk.process_context import rooted
from agent_otel.sdk.state import current
from agent_otel.text.sanitise import clean

if TYPE_CHECKING:
    from agent_otel.sdk.run import Run

_ERROR_TYPES: Final[Mapping[str, str]] = {
    "failed": names.ERROR_NONZERO_EXIT,
    "timed_out": names.ERROR_TIMEOUT,
    "not_started": names.ERROR_TOOL,
}


class Observation:
    """One command between its start and its end."""

    def __init__(
        self,
        run: Run | None,
        command: Sequence[str | os.PathLike[str]] | str,
        cwd: str | os.PathLike[str] | None,
        env: Mapping[str, str] | None,
        *,
        tool: str,
    ) -> None:
        self._instrumentation = current()
        self._command = command if isinstance(command, str) else [os.fspath(word) for word in command]
        self._cwd = None if cwd is None else os.fspath(cwd)
        self._env = env
        self._run = run
        self._line = self._command if isinstance(self._command, str) else line_of(self._command)
        self.id = self._instrumentation.new_id()
        self._tool = tool
        self._error_type = ""
        self._began = time.perf_counter()
        self._began_ns = self.now()
        self.span: trace.Span = trace.INVALID_SPAN
        self.tree = ""
        with guard("starting a command's span"):
            self.span = self._start()
            if self._run is not None and self.span.is_recording():
                self.tree = self._run.tree()

    def now(self) -> int | None:
        """The time for the span, or None for the SDK's own clock."""
        return self._instrumentation.clock() if self._instrumentation.clock else None

    def invocation(
        self,
        *,
        timeout: float | None,
        stdin: str | bytes | None,
        on_output: OnOutput | None,
    ) -> Invocation:
        """What to start: the trace goes on in the child."""
        env = dict(os.environ if self._env is None else self._env)
        with guard("passing the trace to a child process"):
            env.update(child_environment(self._run.id if self._run is not None else ""))
        return Invocation(
            command=self._command, cwd=self._cwd, env=env, timeout_s=timeout, stdin=stdin, on_output=on_output
        )

    def finish(self, finished: Finished, reports: Given | Sequence[Given] = ()) -> CommandResult:
        """Records the end, and the reports that the command was to write."""
        result = described(
            self._line,
            finished.output,
            identity=self.id,
            result=finished.result,
            exit_code=finished.exit_code,
            duration_s=self._lasted(finished),
            output_bytes=finished.output_bytes,
            output_sha256=finished.output_sha256,
            tree=self.tree,
        )
        with guard("recording a command"):
            self._end(result, finished.error, reports)
        return result

    def _lasted(self, finished: Finished) -> float:
        """Seconds by the clock that also tells the time: two clocks could put commands out of order."""
        ended_ns = self.now()
        if self._began_ns is None or ended_ns is None:
            return finished.duration_s
        return (ended_ns - self._began_ns) / 1e9

    def interrupted(self) -> None:
        """Records that nobody waited for the end."""
        with guard("recording an interrupted command"):
            values = values_of(CommandResult(id=self.id, command=self._line, result="unknown", tree=self.tree))
            self._emit(values)
            self._fail(names.ERROR_CANCELLED, "")

    def close(self, *, measured: bool) -> None:
        """Ends the span, and measures the call where nothing around it does."""
        with guard("ending a command"):
            self.span.end(self.now())
            if self._run is not None:
                self._run.command_ended(self.id)
            if measured and (instruments := metrics.instruments_for(self._instrumentation)) is not None:
                agent = self._run.agent if self._run is not None else ""
                took = time.perf_counter() - self._began
                instruments.add((self._tool, agent, self._error_type, took, self.span.get_span_context()))

    def _start(self) -> trace.Span:
        tool = self._tool
        words = _words(self._line) if isinstance(self._command, str) else self._command
        program = Path(words[0]).name if words else ""
        outgoing = Outgoing(self._instrumentation)
        line = outgoing.text(clean(self._line))
        outgoing.update(
            {
                names.OPERATION_NAME: names.EXECUTE_TOOL,
                names.TOOL_NAME: tool,
                names.TOOL_TYPE: "function",
                names.AGENT_NAME: self._run.agent if self._run is not None else None,
                names.RUN_ID: self._run.id if self._run is not None else None,
                names.COMMAND_ID: self.id,
                names.COMMAND_LINE: line,
                names.PROCESS_EXECUTABLE_NAME: program,
                names.PROCESS_COMMAND_ARGS: _masked_words(line, words, outgoing),
                names.PROCESS_WORKING_DIRECTORY: self._cwd,
            }
        )
        name = outgoing.text(clean(f"execute_tool {tool} {program}".rstrip()), limit=256)
        # A shell text may run any number of programs; the name says one only when exactly one is run (conventions).
        if isinstance(self._command, str):
            name = f"execute_tool {tool}"
        if self._run is not None:
            self._run.command_started(self.id, name)
        return self._instrumentation.tracer().start_span(
            name,
            context=rooted(otel_context.get_current()),
            kind=SpanKind.INTERNAL,
            attributes=outgoing.finish(),
            start_time=self._began_ns,
        )

    def _end(self, result: CommandResult, error: str, reports: Given | Sequence[Given]) -> None:
        if result.exit_code is not None:
            self.span.set_attribute(names.PROCESS_EXIT_CODE, result.exit_code)
        shown: Callable[[Given], str] = str if self._run is None else self._run.relative
        files = bound(paths(reports), shown=shown, folder=self._cwd)
        told = {names.PROCESS_WORKING_DIRECTORY: self._cwd, names.COMMAND_FILES: files or None}
        values = {**values_of(result), **told}
        self._emit(values)
        if (error_type := _ERROR_TYPES.get(result.result)) is not None:
            self._fail(error_type, error)

    def _emit(self, values: Mapping[str, Any]) -> None:
        run_id = self._run.id if self._run is not None else ""
        emit(names.COMMAND_RUN, values, span=self.span, run_id=run_id, required=REQUIRED)

    def _fail(self, error_type: str, error: str) -> None:
        self._error_type = error_type
        self.span.set_attribute(names.ERROR_TYPE, error_type)
        said = Outgoing(self._instrumentation).text(clean(error)) if error else None
        self.span.set_status(Status(StatusCode.ERROR, said))


def child_environment(run_id: str) -> dict[str, str]:
    """The variables that let a child process continue the trace and the run (W3C trace context, upper-case names)."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    found = {name.upper(): value for name, value in carrier.items()}
    return {**found, names.ENV_RUN: run_id} if run_id else found


def line_of(words: Sequence[str | os.PathLike[str]]) -> str:
    """Words as one line that a shell would split into them again."""
    return shlex.join(os.fspath(word) for word in words)


def _words(line: str) -> list[str]:
    """The words of a shell text, or nothing where its quotes do not close."""
    try:
        return shlex.split(line)
    except ValueError:
        return []


def _masked_words(line: str, words: Sequence[str], outgoing: Outgoing) -> list[str]:
    """The words of a masked line: only the whole line shows that a word follows ``--password``."""
    masked = _words(line)
    return masked if len(masked) == len(words) else [outgoing.text(clean(word)) for word in words]
