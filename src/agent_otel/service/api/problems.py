"""What is answered to a request that cannot be served: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from agent_otel.errors import AgentOtelError
from agent_otel.service.exchange import NO_HEADERS, Reply

PROBLEM: Final = "application/problem+json"

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "What is the matter (RFC 9457).",
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected, and what came."},
    },
    "required": ["type", "title", "status", "detail"],
}


class Refusal(AgentOtelError):  # noqa: N818 - see MissingExtra
    """The request cannot be served, and why; sending it again cannot help.

    Args:
        status: of the reply.
        detail: what was expected, and what came.
        headers: further headers of the reply.
    """

    def __init__(self, status: HTTPStatus, detail: str, *, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers

    def reply(self) -> Reply:
        """What to answer."""
        problem = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value, "detail": str(self)}
        return Reply(
            status=self.status.value,
            body=msgspec.json.encode(problem),
            headers={"content-type": PROBLEM, **self.headers},
        )


def bad_request(detail: str) -> Refusal:
    """The refusal of what was asked wrongly."""
    return Refusal(HTTPStatus.BAD_REQUEST, detail)


def not_found(detail: str) -> Refusal:
    """The refusal of what is not there."""
    return Refusal(HTTPStatus.NOT_FOUND, detail)
