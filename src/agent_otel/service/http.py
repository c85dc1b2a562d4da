"""The HTTP listener's ASGI application: reads requests within bounds, writes replies, and has no other logic."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from typing import Any, Final

from msgspec.structs import replace

from agent_otel.errors import AgentOtelError, TooLarge, Unsupported
from agent_otel.otlp.encodings import CONTENT_TYPES, Encoding, encoding_of
from agent_otel.otlp.inflate import accepted
from agent_otel.otlp.received import SignalName
from agent_otel.otlp.replies import Failure, failure, failure_body, success_body
from agent_otel.service.budget import Room
from agent_otel.service.deadline import Deadline
from agent_otel.service.exchange import Reply, Request
from agent_otel.service.logs import Rarely
from agent_otel.service.receiver import Body, Delivery, Receiver
from agent_otel.service.refusals import Gone
from agent_otel.service.routes import Route, find
from agent_otel.service.security import HOW_TO_ENTER, Tokens, local_name

MOST_ASKED_BYTES: Final = 1 << 20
"""Size of the body of a request that is no export."""

NOT_MODIFIED: Final = 304


class HttpApplication:
    """The ASGI application.

    Args:
        routes: what there is.
        receiver: receives exports.
        tokens: who may.
        local_only: whether no client is asked who it is; the ``Host`` header must name this machine then.
        readers: threads for everything that is no export.
        read_timeout_s: how long a request may take to arrive.
        rarely: where trouble is told.
    """

    def __init__(  # noqa: PLR0913 - its parts, by name
        self,
        *,
        routes: Sequence[Route],
        receiver: Receiver,
        tokens: Tokens,
        local_only: bool,
        readers: Executor,
        read_timeout_s: float,
        rarely: Rarely,
    ) -> None:
        self._routes = routes
        self._receiver = receiver
        self._tokens = tokens
        self._local_only = local_only
        self._readers = readers
        self._read_timeout_s = read_timeout_s
        self._rarely = rarely
        self._compressions = frozenset({"", "x-gzip", *accepted()})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request, as ASGI wants it."""
        try:
            reply = await self._reply(scope, receive)
        except asyncio.CancelledError:
            # The time for ending is over. Without an answer of ours the server would send 500: "never again".
            reply = refusal(503, "the processor is about to end", "json")
        await send_reply(send, reply)

    async def busy(self, _: Any, __: Any, send: Any) -> None:
        """Answers on a connection that is one too many, without reading anything, and ends it."""
        reply = _failed(self._receiver.refuse("too many connections", reason="connections"), "json")
        await send_reply(send, replace(reply, headers={**reply.headers, "connection": "close"}))

    async def _reply(self, scope: Any, receive: Any) -> Reply:
        method, path, headers = scope["method"], scope["path"], _joined(scope["headers"])
        route = find(self._routes, path)
        if route is None or not route.public:
            if not self._tokens.admits(headers.get("authorization", "")):
                return refusal(401, HOW_TO_ENTER, _said(headers), www_authenticate='Bearer realm="agent-otel"')
            if self._local_only and not local_name(headers.get("host", "")):
                return refusal(421, "the host that was asked for is not this one", _said(headers))
        if route is None:
            return refusal(404, "nothing is here", _said(headers))
        if method not in route.methods:
            return refusal(405, f"{path} does not take {method}", _said(headers), allow=", ".join(route.methods))
        if route.signal is not None:
            return await self._export(route.signal, headers, receive)
        return await self._ask(route, scope, headers, receive)

    async def _export(self, signal: SignalName, headers: dict[str, str], receive: Any) -> Reply:
        async def read(room: Room) -> Body:
            encoding_of(headers.get("content-type", ""))
            compression = headers.get("content-encoding", "").strip().lower()
            if compression not in self._compressions:
                message = f"content encoding {compression[:40]!r} is not read here: send {', '.join(accepted())}"
                raise Unsupported(message)
            content = await self._body(receive, most=self._receiver.limits.body_bytes, room=room)
            return Body(content, compression)

        delivery = Delivery(signal=signal, transport="http", encoding=_said(headers))
        answer = await self._receiver.receive(delivery, size=_declared(headers), read=read)
        if isinstance(answer, Failure):
            return _failed(answer, delivery.encoding)
        body = success_body(answer, signal, delivery.encoding)
        return Reply(status=200, body=body, headers={"content-type": CONTENT_TYPES[delivery.encoding]})

    async def _ask(self, route: Route, scope: Any, headers: dict[str, str], receive: Any) -> Reply:
        """Answers what is no export, on a thread: it may read the database."""
        try:
            body = await self._body(receive, most=MOST_ASKED_BYTES)
            request = Request(
                method=scope["method"],
                path=scope["raw_path"].decode("latin-1"),
                query=scope["query_string"].decode("latin-1"),
                headers=headers,
                body=body,
            )
            return await asyncio.get_running_loop().run_in_executor(self._readers, route.answer, request)
        except AgentOtelError as exc:
            self._rarely.warning("a question cannot be answered", error=str(exc))
            return refusal(getattr(exc, "status", 500), str(exc), "json")
        except Exception as exc:  # noqa: BLE001 - one request must not cost the others theirs
            self._rarely.warning("a question cannot be answered", error=repr(exc), exc_info=exc)
            return refusal(500, "the processor failed on this request", "json")

    async def _body(self, receive: Any, *, most: int, room: Room | None = None) -> bytes:
        body = io.BytesIO()  # gives its bytes away without a copy, which joining a list of parts would take
        with Deadline(self._read_timeout_s, f"the request did not arrive in {self._read_timeout_s:g} s"):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Gone
                size = body.tell() + len(message["body"])
                if size > most:
                    text = f"a request of more than {most} bytes: send fewer items at a time"
                    raise TooLarge(text)
                if room is not None:
                    room.reach(size)
                body.write(message["body"])
                if not message["more_body"]:
                    return body.getvalue()


async def send_reply(send: Any, reply: Reply) -> None:
    """Writes a reply out, as ASGI wants it."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    if reply.status != NOT_MODIFIED:  # its length would be that of the body which is left out
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def refusal(status: int, message: str, encoding: Encoding, **headers: str) -> Reply:
    """The reply that says no; of the headers' names, underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = _failed(failure(status, message), encoding)
    return replace(reply, headers={**reply.headers, **named})


def _failed(failed: Failure, encoding: Encoding) -> Reply:
    headers = {"content-type": CONTENT_TYPES[encoding]}
    if failed.retry_s is not None:
        headers["retry-after"] = str(failed.retry_s)
    return Reply(status=failed.status, body=failure_body(failed, encoding), headers=headers)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name, in lower case as ASGI has them; several of one name are joined, as RFC 9110 allows."""
    found: dict[str, str] = {}
    for name_bytes, value_bytes in headers:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _said(headers: dict[str, str]) -> Encoding:
    """The encoding of the request, in which it is answered; JSON where it is none of ours, for people can read that."""
    try:
        return encoding_of(headers.get("content-type", ""))
    except Unsupported:
        return "json"


def _declared(headers: dict[str, str]) -> int:
    """The size a request says it has; 0 where it comes in chunks. The server has checked that it is a number."""
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
