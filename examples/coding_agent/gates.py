"""What may be done: ordered gates that look at a call before anything happens.

A gate is a function: a call in, a decision out, or None where the call is none of its business. Gates judge by what is
written in the call; what really happens is for the sandbox, which does not trust them.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import agent_otel
from coding_agent.policy import Call

Outcome = Literal["allow", "deny", "require_approval"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gate says of a call."""

    outcome: Outcome
    policy: str
    reason: str = ""


Gate = Callable[[Call], Decision | None]
"""Judges a call; None where it has nothing to say."""


class GateChain:
    """Asks its gates in order; the first that does not allow a call decides. What no gate vouches for is denied.

    Args:
        gates: the gates, the most general one first.
        approve: asks a human about a call that requires approval; without one, nobody approves.
    """

    def __init__(self, gates: Sequence[Gate], *, approve: Callable[[Call], bool] = lambda _: False) -> None:
        self._gates = tuple(gates)
        self._approve = approve

    def decide(self, call: Call) -> Decision:
        """The chain's decision; nothing is recorded, and nobody asked."""
        opinions = [decision for gate in self._gates if (decision := gate(call)) is not None]
        against = next((decision for decision in opinions if decision.outcome != "allow"), None)
        if against is not None:
            return against
        if not opinions:
            return Decision("deny", "default", f"no gate vouches for {call.tool}")
        return Decision("allow", " and ".join(decision.policy for decision in opinions))

    def enforce(self, call: Call) -> None:
        """Records the decision, in the span that is current.

        Raises:
            Denied: the call is refused. Raised inside of a tool's span, it marks that span and tells the decision.
        """
        decision = self.decide(call)
        if decision.outcome == "require_approval":
            agent_otel.gate(call.tool, "require_approval", policy=decision.policy, reason=decision.reason)
            approved = self._approve(call)
            decision = Decision("allow", "human") if approved else Decision("deny", "human", "nobody approved it")
        if decision.outcome == "deny":
            raise agent_otel.Denied(decision.reason, policy=decision.policy)
        agent_otel.gate(call.tool, "allow", policy=decision.policy, reason=decision.reason)


def allowed_tools(names: Collection[str]) -> Gate:
    """Allows the tools that are listed, and no others."""

    def gate(call: Call) -> Decision:
        if call.tool in names:
            return Decision("allow", "allowed-tools")
        return Decision("deny", "allowed-tools", f"{call.tool} is not among {', '.join(sorted(names))}")

    return gate


def confined_paths(root: Path, *, writable: Sequence[str], off_limits: Sequence[str] = ()) -> Gate:
    """Keeps paths, as they are written, inside of ``root``, out of ``.git``, and to what the contract allows.

    Args:
        root: the workspace.
        writable: globs of what may be edited.
        off_limits: globs of what may not even be read.
    """

    def gate(call: Call) -> Decision | None:
        if "path" not in call.arguments:
            return None
        path = Path(os.path.normpath(root / call.arguments["path"]))
        inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        if not inside or inside.split("/", 1)[0] == ".git":
            return Decision("deny", "confined-paths", f"{call.arguments['path']} lies outside of the workspace")
        if _matches(inside, off_limits):
            return Decision("deny", "confined-paths", f"{inside} is off limits")
        if call.tool == "edit_file" and not _matches(inside, writable):
            return Decision("deny", "confined-paths", f"{inside} is not in scope: {', '.join(writable)}")
        return Decision("allow", "confined-paths")

    return gate


def allowed_commands(patterns: Sequence[str], *, ask: Sequence[str] = ()) -> Gate:
    """Allows command lines by glob; those that match ``ask`` need a human."""

    def gate(call: Call) -> Decision | None:
        if "argv" not in call.arguments:
            return None
        line = shlex.join(call.arguments["argv"])
        if _matches(line, patterns):
            return Decision("allow", "allowed-commands")
        if _matches(line, ask):
            return Decision("require_approval", "allowed-commands", f"{line} is for a human to allow")
        return Decision("deny", "allowed-commands", f"{line} matches none of: {', '.join(patterns)}")

    return gate


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
