"""The bodies of answers."""

from __future__ import annotations

from typing import Any

import msgspec
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agent_otel.otlp.received import Received
from agent_otel.service.receiver import Answer, Encoding

_FIELDS = {"span": "rejectedSpans", "log": "rejectedLogRecords", "metric": "rejectedDataPoints"}


def body(answer: Answer, signal: str, encoding: Encoding) -> bytes:
    """What is answered, as bytes."""
    if answer.received is not None:
        return _success(answer.received, signal, encoding)
    if encoding == "json":
        return msgspec.json.encode({"code": answer.code, "message": answer.message})
    return bytes(status(answer).SerializeToString())


def _success(received: Received, signal: str, encoding: Encoding) -> bytes:
    count = sum(each.count for each in received.rejected)
    text = "; ".join(f"{each.count} refused: {each.reason}" for each in received.rejected)
    if encoding == "json":
        return msgspec.json.encode(
            {"partialSuccess": {_FIELDS[signal]: str(count), "errorMessage": text}} if count else {}
        )
    message = ExportTraceServiceResponse()
    if count:
        message.partial_success.rejected_spans = count
        message.partial_success.error_message = text
    return message.SerializeToString()


def status(answer: Answer) -> Any:
    """The answer as a ``google.rpc.Status``."""
    made = Status(code=answer.code, message=answer.message)
    if answer.retry_s is not None:
        info = RetryInfo()
        info.retry_delay.FromSeconds(answer.retry_s)
        made.details.add().Pack(info)
    return made
