"""The requirements of a server that has no room, or nowhere to put what it gets; ``Seen.says`` tells of the delay."""

from __future__ import annotations

from typing import Final

import grpc

from conformance import bodies
from conformance.cases import TYPES, Case, Seen
from conformance.grpc_cases import code

HTTP_REFUSALS: Final = tuple(
    Case(
        name=f"refusal-{signal}-{encoding}",
        rule="the server MUST respond with 503 and MAY include Retry-After; design: it does, of one to five seconds",
        expected=Seen(503, "status, come back in 1 to 5 s"),
        signal=signal,
        encoding=encoding,
        body=bodies.one(signal, encoding),
    )
    for signal in ("traces", "logs")
    for encoding in TYPES
)

GRPC_REFUSALS: Final = tuple(
    Case(
        name=f"grpc-refusal-{signal}",
        rule="the server MAY signal backpressure with RetryInfo; design: it does, of one to five seconds",
        expected=Seen(code(grpc.StatusCode.UNAVAILABLE), "status, come back in 1 to 5 s"),
        signal=signal,
        body=bodies.one(signal, "protobuf"),
    )
    for signal in ("traces", "logs")
)
