"""Commands that the harness really runs, and sees the end of: argv, exit code, duration, output, git tree."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry import context as otel_context, trace

from agent_otel.model import names
from agent_otel.model.record import CommandResult as ResultWord
from agent_otel.sdk.command_result import REQUIRED, CommandResult, described, result_of, values_of
from agent_otel.sdk.context import leave
from agent_otel.sdk.evidence import Given
from agent_otel.sdk.observation import Observation, line_of
from agent_otel.sdk.process import Finished, Invocation, OnOutput, run_process, run_process_async
from agent_otel.sdk.recorder import Recorder
from agent_otel.sdk.state import current

DEFAULT_TOOL: Final = "run_command"
"""The tool a command belongs to when it is run outside of any decorated tool."""


class CommandRecorder(Recorder):
    """A recorder that also runs commands."""

    def command(  # noqa: PLR0913 - one for each thing a process is started with
        self,
        command: Sequence[str | os.PathLike[str]] | str,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stdin: str | bytes | None = None,
        on_output: OnOutput | None = None,
        reports: Given | Sequence[Given] = (),
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
            reports: files that it writes, such as JUnit XML, relative to where it runs; each is bound by its digest.

        Returns:
            What became of it. A command that fails, times out or cannot be started is an answer, not an exception.
        """
        with self._observed(command, cwd, env) as observation:
            invocation = observation.invocation(timeout=timeout, stdin=stdin, on_output=on_output)
            return observation.finish(run_process(invocation), reports)

    async def command_async(  # noqa: PLR0913 - as above
        self,
        command: Sequence[str | os.PathLike[str]] | str,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stdin: str | bytes | None = None,
        on_output: OnOutput | None = None,
        reports: Given | Sequence[Given] = (),
    ) -> CommandResult:
        """``command`` for event loops; a cancelled task ends the command."""
        with self._observed(command, cwd, env) as observation:
            invocation = observation.invocation(timeout=timeout, stdin=stdin, on_output=on_output)
            return observation.finish(await run_process_async(invocation), reports)

    def watch(
        self,
        command: Sequence[str],
        run: Callable[[Invocation], Finished],
        *,
        reports: Given | Sequence[Given] = (),
    ) -> CommandResult:
        """Records ``command_run`` for a command that ``run`` runs in a way of its own.

        Args:
            command: its words.
            run: runs it in the environment it is given, and says what became of it.
            reports: files that it writes, as ``command`` takes them.
        """
        with self._observed(command, None, None) as observation:
            return observation.finish(run(observation.invocation(timeout=None, stdin=None, on_output=None)), reports)

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
        word: ResultWord = result or result_of(exit_code)
        text = command if isinstance(command, str) else line_of(command)
        printed = output.encode("utf-8", "replace")
        recorded = described(text, printed, identity=current().new_id(), result=word, exit_code=exit_code)
        self._record(
            names.COMMAND_RUN,
            lambda: {
                **values_of(recorded, observer="agent"),
                names.COMMAND_DURATION: duration_s,
                names.PROCESS_WORKING_DIRECTORY: os.fspath(cwd),
            },
            required=REQUIRED,
        )
        return recorded

    @contextmanager
    def _observed(
        self,
        command: Sequence[str | os.PathLike[str]] | str,
        cwd: str | os.PathLike[str] | None,
        env: Mapping[str, str] | None,
    ) -> Iterator[Observation]:
        run = self._run()
        # Inside of a decorated tool the call was counted and is measured already.
        enclosed = _enclosing_tool(trace.get_current_span())
        if run is not None and not enclosed:
            run.tool_called()
        observation = Observation(run, command, cwd, env, tool=enclosed or DEFAULT_TOOL)
        token = otel_context.attach(trace.set_span_in_context(observation.span))
        try:
            yield observation
        except BaseException:  # also a cancelled task must leave its command recorded
            observation.interrupted()
            raise
        finally:
            leave(token)
            observation.close(measured=not enclosed)


def _enclosing_tool(span: trace.Span) -> str:
    """The decorated tool a span is a call of, or ""."""
    attributes = getattr(span, "attributes", None) or {}
    found = attributes.get(names.TOOL_NAME) if attributes.get(names.OPERATION_NAME) == names.EXECUTE_TOOL else None
    return found if isinstance(found, str) else ""
