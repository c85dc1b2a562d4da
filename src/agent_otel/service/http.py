"""The HTTP listener's ASGI application: reads requests within bounds, writes replies, and has no other logic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from typing import Any, Final

from agent_otel.errors import AgentOtelError, StoreError, TooLarge
from agent_otel.service import answers
from agent_otel.service.budget import Room
from agent_otel.service.deadline import Deadline
from agent_otel.service.exchange import Reply, Request
from agent_otel.service.logs import Rarely
from agent_otel.service.receiver import Answer, Body, Delivery, Encoding, Gone, Receiver, Unsupported
from agent_otel.service.routes import Route, find
from agent_otel.service.security import Tokens, local_name

CONTENT_TYPES: Final[dict[str, Encoding]] = {"application/x-protobuf": "protobuf", "application/json": "json"}
_CONTENT_TYPE: Final = {encoding: name for name, encoding in CONTENT_TYPES.items()}

COMPRESSIONS: Final = {"": "", "identity": "", "none": "", "gzip": "gzip"}

MOST_ASKED_BYTES: Final = 1 << 20
"""Size of the body of a request that is no export."""

NOT_MODIFIED: Final = 304

UNAUTHENTICATED: Final = 16
NOT_FOUND: Final = 5
UNIMPLEMENTED: Final = 12
PERMISSION_DENIED: Final = 7
UNAVAILABLE: Final = 14
INTERNAL: Final = 13


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

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request, as ASGI wants it."""
        try:
            reply = await self._reply(scope, receive)
        except asyncio.CancelledError:
            # The time for ending is over. Without an answer of ours the server would send 500: "never again".
            message = "the processor is about to end"
            reply = rendered(Answer(status=503, code=UNAVAILABLE, message=message, retry_s=1), "span", "json")
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        if reply.status != NOT_MODIFIED:  # of it, the length would be that of the body which is left out
            headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Any, receive: Any) -> Reply:
        method, path, headers = scope["method"], scope["path"], _joined(scope["headers"])
        encoding = _encoding(headers) or "json"
        route = find(self._routes, path)
        if route is None or not route.public:
            if not self._tokens.admits(headers.get("authorization", "")):
                refusal = Answer(status=401, code=UNAUTHENTICATED, message="a token is needed: Authorization: Bearer …")
                return _with(rendered(refusal, "span", encoding), {"www-authenticate": 'Bearer realm="agent-otel"'})
            if self._local_only and not local_name(headers.get("host", "")):
                refusal = Answer(status=421, code=PERMISSION_DENIED, message="this is not the host that was asked for")
                return rendered(refusal, "span", encoding)
        if route is None:
            return rendered(Answer(status=404, code=NOT_FOUND, message="nothing is here"), "span", encoding)
        if method not in route.methods:
            refusal = Answer(status=405, code=UNIMPLEMENTED, message=f"{path} does not take {method}")
            return _with(rendered(refusal, "span", encoding), {"allow": ", ".join(route.methods)})
        if route.signal:
            return await self._export(route.signal, headers, receive)
        return await self._ask(route, scope, headers, receive)

    async def _export(self, signal: str, headers: dict[str, str], receive: Any) -> Reply:
        encoding = _encoding(headers)
        compression = COMPRESSIONS.get(headers.get("content-encoding", "").strip().lower())

        async def read(room: Room) -> Body:
            if encoding is None:
                message = f"content type {headers.get('content-type', '')!r}; read are {', '.join(CONTENT_TYPES)}"
                raise Unsupported(message)
            if compression is None:
                known = ", ".join(name for name in COMPRESSIONS if name)
                message = f"content encoding {headers.get('content-encoding', '')!r}; read are {known}"
                raise Unsupported(message)
            content = await self._body(receive, most=self._receiver.limits.body_bytes, room=room)
            return Body(content, compression)

        delivery = Delivery(signal=signal, transport="http", encoding=encoding or "json")
        answer = await self._receiver.receive(delivery, size=_declared(headers), read=read)
        return rendered(answer, signal, delivery.encoding)

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
        except StoreError as exc:
            self._rarely.warning("the store cannot be read", error=str(exc))
            answer = Answer(status=503, code=UNAVAILABLE, message=str(exc), retry_s=1)
        except AgentOtelError as exc:
            answer = Answer(status=getattr(exc, "status", 400), code=3, message=str(exc))
        except Exception as exc:  # noqa: BLE001 - one request must not cost the others theirs
            self._rarely.warning("a request cannot be answered", error=repr(exc), exc_info=exc)
            answer = Answer(status=500, code=INTERNAL, message="the processor failed on this request")
        return rendered(answer, "span", "json")

    async def _body(self, receive: Any, *, most: int, room: Room | None = None) -> bytes:
        parts: list[bytes] = []
        size = 0
        with Deadline(self._read_timeout_s, f"the request did not arrive in {self._read_timeout_s:g} s"):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Gone
                parts.append(message["body"])
                size += len(message["body"])
                if size > most:
                    text = f"a request of more than {most} bytes: send fewer items at a time"
                    raise TooLarge(text)
                if room is not None:
                    room.reach(size)
                if not message["more_body"]:
                    return parts[0] if len(parts) == 1 else b"".join(parts)


def rendered(answer: Answer, signal: str, encoding: Encoding) -> Reply:
    """An answer as HTTP writes it."""
    headers = {"content-type": _CONTENT_TYPE[encoding]}
    if answer.retry_s is not None:
        headers["retry-after"] = str(answer.retry_s)
    return Reply(status=answer.status, body=answers.body(answer, signal, encoding), headers=headers)


def _with(reply: Reply, headers: dict[str, str]) -> Reply:
    return Reply(status=reply.status, body=reply.body, headers={**reply.headers, **headers})


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name, in lower case as ASGI has them; several of one name are joined, as RFC 9110 allows."""
    found: dict[str, str] = {}
    for name_bytes, value_bytes in headers:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _encoding(headers: dict[str, str]) -> Encoding | None:
    return CONTENT_TYPES.get(headers.get("content-type", "").partition(";")[0].strip().lower())


def _declared(headers: dict[str, str]) -> int:
    """The size a request says it has; 0 where it comes in chunks. The server has checked that it is a number."""
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
