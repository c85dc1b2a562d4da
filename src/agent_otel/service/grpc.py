"""The gRPC listener: raw bytes in, raw bytes out; the same receiver behind it.

Each method is registered as one that takes a stream, which on the wire is the same as one that takes a message: the
handler is called when the headers are there, so that a request can be refused before its body is read. Messages are
handed over compressed, as they came: gRPC's own inflating knows no bound but its result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

import grpc
import grpc.aio

from agent_otel.otlp.received import SignalName
from agent_otel.otlp.replies import Failure, failure, status_of, success_body
from agent_otel.service.budget import Room
from agent_otel.service.deadline import Deadline
from agent_otel.service.receiver import Body, Delivery, Receiver
from agent_otel.service.refusals import Gone
from agent_otel.service.security import HOW_TO_ENTER, Address, Tokens
from agent_otel.service.settings import ProcessorSettings
from agent_otel.service.turns import Turns

if TYPE_CHECKING:  # the classes are generic in the stubs alone
    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[Any, Any]

METHODS: Final[dict[str, SignalName]] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "span",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "log",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "metric",
}
"""Method to what it receives."""

MESSAGE_BYTES: Final = 16 << 20
"""The largest message, as it comes. gRPC hands over whole ones, and tells nobody their size before."""

AT_ONCE: Final = 4
"""Messages that are taken in at a time. Together with the largest size it bounds the memory that they take."""

TURN_S: Final = 3.0
"""How long a message waits for its turn until its sender is told to come back."""

UNKNOWN_BYTES: Final = 64 << 10
"""What a message needs before its turn: the window of its stream, past which its sender has to wait."""

GZIP_MAGIC: Final = b"\x1f\x8b"
"""Begins what gzip has written, and no protobuf message: 0x1f would be a field of a type that does not exist."""

DETAILS: Final = "grpc-status-details-bin"

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_GZIP_ONLY: Final = 0b101  # identity and gzip, as bits of grpc_compression_algorithm


class ExportServices(grpc.GenericRpcHandler):
    """Finds who answers a method; whoever may not come in learns nothing about what there is.

    Args:
        receiver: receives exports.
        tokens: who may.
        read_timeout_s: how long a message may take to arrive.
    """

    def __init__(self, *, receiver: Receiver, tokens: Tokens, read_timeout_s: float) -> None:
        self._tokens = tokens
        self._refusing: Handler = grpc.stream_unary_rpc_method_handler(_unauthenticated)
        turns = Turns(AT_ONCE, patience_s=TURN_S)
        self._handlers: dict[str, Handler] = {
            method: grpc.stream_unary_rpc_method_handler(
                _export(receiver, Delivery(signal=signal, transport="grpc"), turns, read_timeout_s)
            )
            for method, signal in METHODS.items()
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """See ``grpc.GenericRpcHandler``: None is answered with UNIMPLEMENTED."""
        metadata = handler_call_details.invocation_metadata or ()
        if not self._tokens.admits(_authorization(metadata)):
            return self._refusing
        return self._handlers.get(str(handler_call_details.method))


def server(
    services: ExportServices, listening: Sequence[Address], settings: ProcessorSettings, *, most_bytes: int
) -> tuple[grpc.aio.Server, list[Address]]:
    """A server, bound and not yet started, and the addresses it has.

    Args:
        services: who answers.
        listening: where to listen.
        settings: certificates.
        most_bytes: of a request; a message, which may be compressed, has ``MESSAGE_BYTES`` at most.

    Raises:
        OSError: an address cannot be had.
    """
    made = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", min(MESSAGE_BYTES, most_bytes)),
            ("grpc.http2.bdp_probe", 0),  # it widens the windows of streams that nobody reads yet, up to megabytes
            ("grpc.per_message_decompression", 0),
            ("grpc.compression_enabled_algorithms_bitset", _GZIP_ONLY),
            ("grpc.max_concurrent_streams", 100),
            ("grpc.max_metadata_size", 16 << 10),
            ("grpc.so_reuseport", 0),  # two processors on one port would be a mistake, and half of the requests lost
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            # What collectors and SDKs are allowed by default elsewhere; more often is met with GOAWAY.
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.max_connection_idle_ms", 600_000),
        ]
    )
    made.add_generic_rpc_handlers((services,))
    bound: list[Address] = []
    credentials = _credentials(settings)
    for address in listening:
        try:
            port = (
                made.add_secure_port(str(address), credentials) if credentials else made.add_insecure_port(str(address))
            )
        except RuntimeError as exc:
            message = f"cannot listen on {address} for gRPC: {exc}"
            raise OSError(message) from exc
        bound.append(Address(host=address.host, port=port))
    return made, bound


def _export(receiver: Receiver, delivery: Delivery, turns: Turns, read_timeout_s: float) -> Callable[..., Any]:
    async def export(_: AsyncIterator[bytes], context: Context) -> bytes:
        async def read(room: Room) -> Body:
            async with turns:
                with Deadline(read_timeout_s, f"the request did not arrive in {read_timeout_s:g} s"):
                    # Not from the iterator: that holds on to the message until garbage is collected.
                    content = await context.read()
                if content is grpc.aio.EOF:  # gRPC has answered what it found too large; others have sent nothing
                    raise Gone
                room.reach(len(content))
            return Body(content, "gzip" if content.startswith(GZIP_MAGIC) else "")

        answer = await receiver.receive(delivery, size=min(UNKNOWN_BYTES, receiver.limits.body_bytes), read=read)
        if isinstance(answer, Failure):
            await _fail(context, answer)
        return success_body(answer, delivery.signal, "protobuf")

    return export


async def _unauthenticated(_: AsyncIterator[bytes], context: Context) -> NoReturn:
    await _fail(context, failure(401, HOW_TO_ENTER))


async def _fail(context: Context, failed: Failure) -> NoReturn:
    details = status_of(failed).SerializeToString()
    await context.abort(_CODES[failed.code], failed.message, trailing_metadata=((DETAILS, details),))


def _authorization(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    found = [value for key, value in metadata if key == "authorization" and isinstance(value, str)]
    return found[0] if len(found) == 1 else ""


def _credentials(settings: ProcessorSettings) -> grpc.ServerCredentials | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    pair = (settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())
    authority = settings.tls_client_ca
    return grpc.ssl_server_credentials(
        [pair],
        root_certificates=authority.read_bytes() if authority is not None else None,
        require_client_auth=authority is not None,
    )
