"""Policies that go wrong, each in its own way: what the harness is there for."""

from __future__ import annotations

from coding_agent.policy import TEST, Action, Call, Finish, Observation


class Scripted:
    """Does what a script says, whatever it sees; then it claims to be done."""

    script: tuple[Call, ...] = ()

    def __init__(self) -> None:
        self._next = iter(self.script)

    def next_action(self, observation: Observation) -> Action:  # noqa: ARG002 - it does not look
        """Gives the next action; see ``policy.Policy``."""
        return next(self._next, Finish("done", next_action="none"))


class Stubborn:
    """Runs the failing tests again and again, in the hope of another result. Ends at the step budget."""

    def next_action(self, observation: Observation) -> Action:  # noqa: ARG002 - it does not look
        """Gives the next action; see ``policy.Policy``."""
        return Call("run_command", {"argv": TEST}, phase="HOPE")


class Talkative:
    """Reads the same file for ever. Ends at the observation budget."""

    def next_action(self, observation: Observation) -> Action:  # noqa: ARG002 - it does not look
        """Gives the next action; see ``policy.Policy``."""
        return Call("read_file", {"path": "README.md", "why": "to be sure"}, phase="READ")


class Rogue(Scripted):
    """Wants to publish its work. Ends at the gates: no command is allowed that is not listed."""

    script = (
        Call("run_command", {"argv": TEST}, phase="RUN_TESTS"),
        Call("run_command", {"argv": ("git", "push", "--force")}, phase="PUBLISH"),
    )


class Inventor(Scripted):
    """Calls a tool that does not exist. Ends at the gates."""

    script = (Call("deploy_to_production", {"when": "now"}, phase="PUBLISH"),)
