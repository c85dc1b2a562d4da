"""The exceptions this package raises on purpose.

The tree says who caused the trouble, what a server answers, and whether a retry can help::

    AgentOtelError
    ├── SettingsError      the user's configuration or contract is wrong; fix it, retrying cannot help
    ├── MissingExtra       an optional dependency is not installed; the message is the install line
    ├── DecodeError        the sender's bytes are wrong; sending them again cannot help       (400)
    ├── TooLarge           the sender's request is over a limit; split it                     (413)
    ├── Unsupported        the sender's content type or encoding is none we read; use another (415)
    ├── Overloaded         no room now; the sender should try again later                     (503)
    ├── StoreError         the database refused or is not ours; see the message               (503)
    ├── EmitError          whoever records are passed on to did not take them; they are tried again
    ├── NotFound           no such run
    ├── Denied             a gate refused a tool call; raised by the user's gates, passed through
    └── BudgetExceeded     a budget was crossed and the user asked for an exception
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AgentOtelError(Exception):
    """Everything this package raises on purpose."""


class SettingsError(AgentOtelError):
    """A setting or contract says what cannot be; the message says what was expected and what came."""


class MissingExtra(AgentOtelError):  # noqa: N818 - named after what is the matter, as httpx and click do
    """An optional dependency is not installed; the message is the line that installs it.

    Args:
        what: what needs it, as the beginning of a sentence.
        package: what could not be imported.
        extra: the extra of this package that brings it.
    """

    def __init__(self, what: str, package: str, *, extra: str) -> None:
        super().__init__(f'{what} needs {package!r}. Install it with: pip install "agent-otel[{extra}]"')


def suggestion(name: object, known: Iterable[str]) -> str:
    """What to say of a name nobody knows: the nearest known one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


class DecodeError(AgentOtelError):
    """The sender's bytes are wrong; sending them again cannot help."""

    status = 400


class TooLarge(AgentOtelError):  # noqa: N818 - see MissingExtra
    """The request is over a limit; a smaller one may be accepted."""

    status = 413


class Unsupported(AgentOtelError):  # noqa: N818 - see MissingExtra
    """The request is of a content type or content encoding that is not read; the message says which are."""

    status = 415


class Overloaded(AgentOtelError):  # noqa: N818 - see MissingExtra
    """No room now; the sender should try again later."""

    status = 503


class StoreError(AgentOtelError):
    """The database cannot be used: locked, damaged, or written by a newer program."""

    status = 503


class EmitError(AgentOtelError):
    """Whoever records are passed on to did not take them; the same ones are tried again."""


class NotFound(AgentOtelError):  # noqa: N818 - see MissingExtra
    """No run answers to the given id."""


class Denied(AgentOtelError):  # noqa: N818 - see MissingExtra
    """A gate refused a tool call.

    Raise it inside (or above) a decorated tool: the call's span then has status ERROR, ``error.type`` ``denied`` and
    an ``agent_otel.tool.call.decision`` event, and the exception reaches the caller untouched.

    Args:
        reason: why the call was refused, for people.
        policy: the name of the rule that refused it.
    """

    def __init__(self, reason: str, *, policy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.policy = policy
        self.event_id = ""  # of the event that told it, so that it is told once


class BudgetExceeded(AgentOtelError):  # noqa: N818 - see MissingExtra
    """A budget was crossed by a run that asked for ``raise_on_budget``.

    Args:
        budget: ``steps``, ``tokens``, ``tool_calls`` or ``wall_time``.
        limit: what was allowed, in the unit of the budget (wall time in seconds).
        consumed: what was used when the budget was found crossed.
    """

    def __init__(self, budget: str, *, limit: float, consumed: float) -> None:
        super().__init__(f"budget {budget!r} exceeded: limit {limit:g}, consumed {consumed:g}")
        self.budget = budget
        self.limit = limit
        self.consumed = consumed
