"""Commands that the harness really runs, and sees the end of: argv, exit code, duration, output, git tree."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opentelemetry import context as otel_context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agent_otel.model import names
from agent_otel.model.record import CommandResult as ResultWord
from agent_otel.sdk import metrics
from agent_otel.sdk.attributes import Outgoing, Tail
from agent_otel.sdk.context import leave
from agent_otel.sdk.events import emit
from agent_otel.sdk.guard import guard
from agent_otel.sdk.process import Finished, Invocation, OnOutput, run_process, run_process_async
from agent_otel.sdk.process_context import rooted
from agent_otel.sdk.recorder import Recorder
from agent_otel.sdk.state import current
from agent_otel.text.sanitise import clean

DEFAULT_TOOL: Final = "run_command"
"""The tool a command belongs to when it is run outside of any decorated tool."""

_ERROR_TYPES: Final[Mapping[str, str]] = {
    "failed": names.ERROR_NONZERO_EXIT,
    "timed_out": names.ERROR_TIMEOUT,
    "not_started": names.ERROR_TOOL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command.

    ``result`` is ``passed`` (exit code 0), ``failed``, ``timed_out``, ``not_started`` (no such program), ``denied`` or
    ``unknown``. ``exit_code`` is negative for a signal and None where there was none. ``output`` is what it printed
    (standard output and error, in order; the middle is cut past a megabyte), ``output_sha256`` the digest of all of
    it. ``tree`` is the git tree it ran on, "" where not recorded. ``id`` is what evidence refers to.
    """

    id: str
    command: str
    result: ResultWord
    exit_code: int | None = None
    duration_s: float = 0.0
    output: str = ""
    output_bytes: int = 0
    output_sha256: str = ""
    tree: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ended with exit code 0."""
        return self.result == "passed"


class CommandRecorder(Recorder):
    """A recorder that also runs commands."""

    def command(
        self,
        command: Sequence[str | os.PathLike[str]] | str,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stdin: str | bytes | None = None,
        on_output: OnOutput | None = None,
    ) -> CommandResult:
        """Runs a command and records ``command_run``.

        The child gets ``TRACEPARENT`` and ``AGENT_OTEL_RUN`` in its environment. It runs in a session of its own, so
        that a time-out or an interrupt ends its children too.

        Args:
            command: a list of words, or one text for the shell.
            cwd: where to run it; the run's repository is not assumed, the working directory is.
            env: its whole environment; that of this process where none is given.
            timeout: seconds after which it is ended, and its result is ``timed_out``.
            stdin: what it reads; nothing where none is given.
            on_output: called with output as it comes.

        Returns:
            What became of it. A command that fails, times out or cannot be started is an answer, not an exception.
        """
        with self._observed(command, cwd, env) as observation:
            invocation = observation.invocation(timeout=timeout, stdin=stdin, on_output=on_output)
            return observation.finish(run_process(invocation))

    async def command_async(
        self,
        command: Sequence[str | os.PathLike[str]] | str,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stdin: str | bytes | None = None,
        on_output: OnOutput | None = None,
    ) -> CommandResult:
        """``command`` for event loops; a cancelled task ends the command."""
        with self._observed(command, cwd, env) as observation:
            invocation = observation.invocation(timeout=timeout, stdin=stdin, on_output=on_output)
            return observation.finish(await run_process_async(invocation))

    def record_command(
        self,
        command: Sequence[str | os.PathLike[str]] | str = "",
        *,
        exit_code: int | None = None,
        result: ResultWord | None = None,
        duration_s: float | None = None,
        output: str = "",
        cwd: str | os.PathLike[str] = "",
    ) -> CommandResult:
        """Records ``command_run`` for a command that somebody else ran.

        Args:
            command: a list of words, or one text.
            exit_code: what it ended with.
            result: what became of it; where it is not given, the exit code says.
            duration_s: how long it took, in seconds.
            output: what it printed.
            cwd: where it ran.
        """
        word: ResultWord = result or _result_of(exit_code)
        text = command if isinstance(command, str) else _line(command)
        printed = output.encode("utf-8", "replace")
        described = _described(text, printed, identity=current().new_id(), result=word, exit_code=exit_code)
        self._record(
            names.COMMAND_RUN,
            lambda: {
                **_values(described, observer="agent"),
                names.COMMAND_DURATION: duration_s,
                names.PROCESS_WORKING_DIRECTORY: os.fspath(cwd),
            },
            required=_REQUIRED,
        )
        return described

    @contextmanager
    def _observed(
        self,
        command: Sequence[str | os.PathLike[str]] | str,
        cwd: str | os.PathLike[str] | None,
        env: Mapping[str, str] | None,
    ) -> Iterator[_Observation]:
        run = self._run()
        # Inside of a decorated tool the call was counted and is measured already.
        enclosed = _enclosing_tool(trace.get_current_span())
        if run is not None and not enclosed:
            run.tool_called()
        observation = _Observation(self, command, cwd, env, tool=enclosed or DEFAULT_TOOL)
        token = otel_context.attach(trace.set_span_in_context(observation.span))
        try:
            yield observation
        except BaseException:  # - also a cancelled task must leave its command recorded
            observation.interrupted()
            raise
        finally:
            leave(token)
            observation.close(measured=not enclosed)


_REQUIRED: Final = (names.COMMAND_LINE, names.COMMAND_RESULT, names.COMMAND_DURATION)


class _Observation:
    """One command between its start and its end."""

    def __init__(
        self,
        recorder: CommandRecorder,
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
        self._run = recorder._run()  # noqa: SLF001 - its own module's other half
        self._line = self._command if isinstance(self._command, str) else _line(self._command)
        self.id = self._instrumentation.new_id()
        self._tool = tool
        self._error_type = ""
        self._began = time.perf_counter()
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

    def finish(self, finished: Finished) -> CommandResult:
        """Records the end."""
        described = _described(
            self._line,
            finished.output,
            identity=self.id,
            result=finished.result,
            exit_code=finished.exit_code,
            duration_s=finished.duration_s,
            output_bytes=finished.output_bytes,
            output_sha256=finished.output_sha256,
            tree=self.tree,
        )
        with guard("recording a command"):
            self._end(described, finished.error)
        return described

    def interrupted(self) -> None:
        """Records that nobody waited for the end."""
        with guard("recording an interrupted command"):
            values = _values(CommandResult(id=self.id, command=self._line, result="unknown", tree=self.tree))
            self._emit(values)
            self._fail(names.ERROR_CANCELLED, "")

    def close(self, *, measured: bool) -> None:
        """Ends the span, and measures the call where nothing around it does."""
        with guard("ending a command"):
            self.span.end(self.now())
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
        return self._instrumentation.tracer().start_span(
            name,
            context=rooted(otel_context.get_current()),
            kind=SpanKind.INTERNAL,
            attributes=outgoing.finish(),
            start_time=self.now(),
        )

    def _end(self, described: CommandResult, error: str) -> None:
        if described.exit_code is not None:
            self.span.set_attribute(names.PROCESS_EXIT_CODE, described.exit_code)
        values = {**_values(described), names.PROCESS_WORKING_DIRECTORY: self._cwd}
        self._emit(values)
        if (error_type := _ERROR_TYPES.get(described.result)) is not None:
            self._fail(error_type, error)

    def _emit(self, values: Mapping[str, Any]) -> None:
        run_id = self._run.id if self._run is not None else ""
        emit(names.COMMAND_RUN, values, span=self.span, run_id=run_id, required=_REQUIRED)

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


def _described(line: str, output: bytes, *, identity: str, **fields: Any) -> CommandResult:
    text = clean(output.decode("utf-8", "replace"))
    return CommandResult(id=identity, command=line, output=text, **{"output_bytes": len(output), **fields})


def _values(described: CommandResult, *, observer: str = "harness") -> dict[str, Any]:
    """The attributes of ``command_run``."""
    return {
        names.COMMAND_ID: described.id,
        names.COMMAND_LINE: described.command,
        names.COMMAND_RESULT: described.result,
        names.PROCESS_EXIT_CODE: described.exit_code,
        names.COMMAND_DURATION: described.duration_s,
        names.COMMAND_OBSERVER: observer,
        names.COMMAND_TREE: described.tree,
        names.COMMAND_OUTPUT_BYTES: described.output_bytes if described.output_sha256 else None,
        names.COMMAND_OUTPUT_DIGEST: described.output_sha256,
        names.COMMAND_OUTPUT_TAIL: Tail(described.output),
    }


def _result_of(exit_code: int | None) -> ResultWord:
    if exit_code is None:
        return "unknown"
    return "passed" if exit_code == 0 else "failed"


def _line(words: Sequence[str | os.PathLike[str]]) -> str:
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


def _enclosing_tool(span: trace.Span) -> str:
    """The decorated tool a span is a call of, or ""."""
    attributes = getattr(span, "attributes", None) or {}
    found = attributes.get(names.TOOL_NAME) if attributes.get(names.OPERATION_NAME) == names.EXECUTE_TOOL else None
    return found if isinstance(found, str) else ""
