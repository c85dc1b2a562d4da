"""Runs an agent as a run of ours, which begins with a commit and ends with a diff and an exit code."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from opentelemetry import context as otel_context

from agent_otel.errors import AgentOtelError
from agent_otel.launch.child import NOT_EXECUTABLE, Child, refusal
from agent_otel.launch.destination import Destination
from agent_otel.launch.environment import Instruments, environment_for
from agent_otel.launch.presets import Preset, preset_for
from agent_otel.launch.recording import recording
from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.otlp.masking import ItemMasker
from agent_otel.otlp.stamping import RunStamp
from agent_otel.sdk import state
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.context import leave
from agent_otel.sdk.observation import child_environment
from agent_otel.sdk.plan import Plan
from agent_otel.sdk.run import Run, new_run_id

_TOLD: Final[Mapping[str, str]] = {
    names.VCS_REPOSITORY_NAME: names.BASE_REPOSITORY,
    names.VCS_REPOSITORY_URL: names.VCS_REPOSITORY_URL,
    names.VCS_REF_NAME: names.BASE_BRANCH,
    names.VCS_REF_REVISION: names.BASE_COMMIT,
}
"""What the agent's resource says of where the run starts, to what ``task_started`` calls it."""


class NotStarted(AgentOtelError):  # noqa: N818 - named after what is the matter
    """The program cannot be started.

    Args:
        message: why.
        status: the exit status that tells so.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and what is said of it.

    ``agent`` is the name of the agent, where the program does not tell; ``content`` asks it for prompts, arguments and
    results. ``redo_of`` is the run that this one does again.
    """

    command: tuple[str, ...]
    agent: str = ""
    task: str | None = None
    contract: Path | None = None
    content: bool = False
    redo_of: str = ""


class Launch:
    """A run of an agent, from its order to its exit code.

    Args:
        order: what to run.

    Attributes:
        run_id: of the run.

    Raises:
        NotStarted: there is no such program.
        SettingsError: the contract is missing or wrong, or a setting is.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._preset: Preset = preset_for(order.command, order.agent)
        if (refused := refusal(order.command[0])) is not None:
            why, status = refused
            message = f"{order.command[0]}: {why}"
            raise NotStarted(message, status=status)
        self._instrumentation = state.from_environment()
        self.run_id = new_run_id(self._preset.name, time.time_ns(), self._instrumentation.new_id())
        options = {"id": self.run_id, "redo_of": order.redo_of}
        self._plan = Plan.of(order.task, agent=self._preset.name, contract=order.contract, options=options)
        self._child = Child()
        self._mask = ItemMasker(self._instrumentation.masker)
        self._stamp = RunStamp(self.run_id)

    def remarks(self) -> Iterator[str]:
        """What the user should know before the run."""
        if not self._preset.hears(self._order.command):
            yield f"{self._preset.name} is told by arguments where to send, and its program is not seen in this command"

    def arrive(self, items: Sequence[Item]) -> Sequence[Item]:
        """Masks the secrets in what the agent sends, those of its environment too, and names the run in it."""
        return self._stamp(self._mask(items))

    def run(self, destination: Destination) -> int:
        """Runs the agent to its end; its exit code, negative for a signal.

        Whatever signal comes meanwhile, the run is recorded to its end.

        Raises:
            NotStarted: the system refuses to run the program.
        """
        with self._child.signals(), recording(destination, self._instrumentation):
            opened = Run(self._plan)
            token = otel_context.attach(opened.open())
            try:
                return self._watched(opened, destination)
            finally:
                leave(token)

    def _watched(self, run: Run, destination: Destination) -> int:
        base = run.observe_start()
        run.announce(base)
        self._describe(run)
        command = self._preset.argv(self._order.command, destination.endpoint, content=self._order.content)
        try:
            code = self._child.run(command, self._environment(run, base, destination))
        except BaseException as exc:
            run.close(run.observe_end(), exc)
            if isinstance(exc, OSError):
                message = f"{command[0]}: {exc.strerror or exc}"
                raise NotStarted(message, status=NOT_EXECUTABLE) from exc
            raise
        run.close(run.observe_end(), None, exit_code=code)
        return code

    def _environment(self, run: Run, base: Mapping[str, Any], destination: Destination) -> dict[str, str]:
        outgoing = Outgoing(state.current())
        outgoing.update({names.RUN_ID: run.id, **{name: base.get(known) for name, known in _TOLD.items()}})
        told = Instruments(
            endpoint=destination.endpoint,
            ours=destination.ours,
            content=self._order.content,
            trace=child_environment(run.id),
            attributes={name: str(value) for name, value in outgoing.attributes.items()},
        )
        return environment_for(self._preset, os.environ, told)

    def _describe(self, run: Run) -> None:
        """What was started; its arguments may hold a prompt, which is content."""
        outgoing = Outgoing(state.current())
        outgoing.put(names.PROCESS_EXECUTABLE_NAME, Path(self._order.command[0]).name)
        if self._order.content:
            outgoing.put(names.PROCESS_COMMAND_ARGS, list(self._order.command))
        for name, value in outgoing.finish().items():
            run.span.set_attribute(name, value)
