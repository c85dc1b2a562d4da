"""What there is at the HTTP listener: one table, from which dispatch, refusals and the test of tokens follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from agent_otel.otlp.received import SignalName
from agent_otel.service.exchange import Reply, Request

Answering = Callable[[Request], Reply]

READING: Final = ("GET", "HEAD")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A path, and who answers there.

    ``signal`` is set where exports are received; else ``reply`` answers. A path that ends in a slash stands for all
    that begin with it. Everybody may ask a ``public`` one; all others, and all paths that are none, ask for the token.
    """

    path: str
    methods: tuple[str, ...] = READING
    signal: SignalName | None = None
    reply: Answering | None = None
    public: bool = False

    def answer(self, request: Request) -> Reply:
        """The reply to a request that is no export."""
        assert self.reply is not None, "exports are received"  # noqa: S101 - a mistake of ours
        return self.reply(request)


EXPORTS: Final = (
    Route(path="/v1/traces", methods=("POST",), signal="span"),
    Route(path="/v1/logs", methods=("POST",), signal="log"),
    Route(path="/v1/metrics", methods=("POST",), signal="metric"),
)


def routes(*, healthz: Answering, readyz: Answering, metrics: Answering, api: Answering) -> tuple[Route, ...]:
    """All there is."""
    return (
        *EXPORTS,
        Route(path="/healthz", reply=healthz, public=True),
        Route(path="/readyz", reply=readyz, public=True),
        Route(path="/metrics", reply=metrics),
        Route(path="/api/", reply=api),
    )


def find(table: Sequence[Route], path: str) -> Route | None:
    """The route at a path, letter by letter; None where there is none."""
    for route in table:
        if path == route.path or (route.path.endswith("/") and path.startswith(route.path)):
            return route
    return None
