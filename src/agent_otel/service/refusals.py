"""Errors that a receiver raises on its own account; those of bytes and store are in ``agent_otel.errors``."""

from __future__ import annotations

from agent_otel.errors import AgentOtelError, Overloaded


class Refused(Overloaded):
    """No room now, for a reason that metrics know.

    Args:
        message: for people.
        reason: one of a few words.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class TooSlow(AgentOtelError):  # noqa: N818 - as those in errors.py
    """The request did not arrive in the time it has."""

    status = 408


class Gone(AgentOtelError):  # noqa: N818 - as those in errors.py
    """The sender went away before the request was whole; nobody reads the answer."""

    status = 499
