"""What is answered to an export request, in the terms of HTTP and of gRPC, as bytes of the request's own encoding.

By opentelemetry-proto, docs/specification.md, "OTLP/gRPC Response" and "OTLP/HTTP Response": success is the empty
response of the signal; what was refused of an accepted request is counted in its ``partial_success``, which also
carries warnings; all else is a ``google.rpc.Status``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agent_otel.otlp.encodings import Encoding
from agent_otel.otlp.received import Received, SignalName

LONGEST_MESSAGE: Final = 1_000
"""Characters of a message. gRPC sends it in headers, of which clients take 8 KiB in all, and in which a character can
take twelve; replies are to stay far below 4 MiB, too."""

MOST_REASONS: Final = 8
"""Reasons that a message names; of the others it tells the count."""

CODES: Final[Mapping[int, int]] = MappingProxyType(
    {
        400: code_pb2.INVALID_ARGUMENT,
        401: code_pb2.UNAUTHENTICATED,
        403: code_pb2.PERMISSION_DENIED,
        404: code_pb2.NOT_FOUND,
        405: code_pb2.UNIMPLEMENTED,
        408: code_pb2.DEADLINE_EXCEEDED,
        # RESOURCE_EXHAUSTED would be usual. There are exporters that send such requests again and again.
        413: code_pb2.INVALID_ARGUMENT,
        415: code_pb2.INVALID_ARGUMENT,
        421: code_pb2.PERMISSION_DENIED,
        # Not RESOURCE_EXHAUSTED: without RetryInfo, which proxies may drop, exporters drop the data for good.
        429: code_pb2.UNAVAILABLE,
        499: code_pb2.CANCELLED,
        500: code_pb2.INTERNAL,
        503: code_pb2.UNAVAILABLE,
    }
)
"""HTTP status to gRPC code for the same thing; the errors of ``agent_otel.errors`` carry the former as ``status``."""

RETRYABLE: Final = frozenset({429, 503})
"""Statuses of ours after which the same request may be accepted."""

_BAD_REQUEST: Final = 400


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not accepted, said for both protocols.

    ``retry_s``: seconds to wait before sending the same again, as ``Retry-After`` says it; None where that cannot help.
    """

    status: int
    code: int
    message: str
    retry_s: int | None = None


def failure(status: int, message: object, *, retry_s: int = 1) -> Failure:
    """The failure with this HTTP status.

    Args:
        status: one of ``CODES``; others are mistakes of ours, and answered like them.
        message: an error, or what is to be told.
        retry_s: how long to wait, where a retry can help.
    """
    return Failure(
        status=status,
        code=CODES.get(status, code_pb2.INTERNAL),
        message=_bounded(str(message)),
        retry_s=retry_s if status in RETRYABLE else None,
    )


def failure_body(failed: Failure, encoding: Encoding) -> bytes:
    """The body of a reply that says no."""
    return _encoded(status_of(failed), encoding)


def status_of(failed: Failure) -> Status:
    """The failure as a ``google.rpc.Status``, which gRPC sends in ``grpc-status-details-bin``.

    Bad data is described by a BadRequest ("Bad Data" in the specification); what may be sent again has a RetryInfo.
    """
    status = Status(code=failed.code, message=failed.message)
    if failed.status == _BAD_REQUEST:
        status.details.add().Pack(BadRequest(field_violations=[{"description": failed.message}]))
    if failed.retry_s is not None:
        status.details.add().Pack(RetryInfo(retry_delay={"seconds": failed.retry_s}))
    return status


def success_body(received: Received, signal: SignalName, encoding: Encoding) -> bytes:
    """The body of a reply that says yes, to all of a request or to a part."""
    response, rejected_field = _RESPONSES[signal]
    rejected = sum(rejection.count for rejection in received.rejected)
    message = _explanation(received)
    if not message:
        return _encoded(response(), encoding)
    return _encoded(response(partial_success={rejected_field: rejected, "error_message": message}), encoding)


_RESPONSES: Final[Mapping[SignalName, tuple[type[Message], str]]] = MappingProxyType(
    {
        "span": (ExportTraceServiceResponse, "rejected_spans"),
        "log": (ExportLogsServiceResponse, "rejected_log_records"),
        "metric": (ExportMetricsServiceResponse, "rejected_data_points"),
    }
)
"""Signal to its response, and to the field of it that counts what was refused."""


def _explanation(received: Received) -> str:
    """Why some were refused, the most frequent reasons first, and what was mended; "" where all is well."""
    rejections = sorted(received.rejected, key=lambda rejection: (-rejection.count, rejection.reason))
    told = [f"{rejection.count} rejected: {rejection.reason}" for rejection in rejections[:MOST_REASONS]]
    others = sum(rejection.count for rejection in rejections[MOST_REASONS:])
    if others:
        told.append(f"{others} rejected for other reasons")
    if received.repaired:
        told.append(f"{received.repaired} accepted with text that is not valid Unicode, in which U+FFFD stands now")
    return _bounded("; ".join(told))


def _bounded(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"


def _encoded(message: Message, encoding: Encoding) -> bytes:
    if encoding == "protobuf":
        return message.SerializeToString()
    return msgspec.json.encode(MessageToDict(message))
