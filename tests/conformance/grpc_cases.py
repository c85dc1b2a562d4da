"""The requirements over gRPC: as in ``cases``, but that ``Seen.status`` is the number of a gRPC code.

Neither path nor headers are told here: gRPC has its own.
"""

from __future__ import annotations

from typing import Final

import grpc

from conformance import bodies
from conformance.cases import Case, Seen

_PARTIAL: Final = "the server MUST populate rejected_spans with the number of spans that were rejected"
_BAD_DATA: Final = "the server SHOULD return InvalidArgument, or another code that is not retryable"


def code(status: grpc.StatusCode) -> int:
    """The number of a code."""
    number: int = status.value[0]
    return number


OK: Final = Seen(code(grpc.StatusCode.OK), "success")
INVALID: Final = Seen(code(grpc.StatusCode.INVALID_ARGUMENT), "status")

GRPC_CASES: Final = (
    *(
        Case(
            name=f"grpc-empty-{signal}",
            rule="If the server receives an empty request the server SHOULD respond with success",
            expected=OK,
            signal=signal,
        )
        for signal in bodies.SIGNALS
    ),
    *(
        Case(name=f"grpc-rubbish-{signal}", rule=_BAD_DATA, expected=INVALID, signal=signal, body=b"this is rubbish")
        for signal in bodies.SIGNALS
    ),
    Case(
        name="grpc-cut-short",
        rule=_BAD_DATA,
        expected=INVALID,
        body=bodies.spans(3).SerializeToString()[:-1],
    ),
    Case(
        name="grpc-unknown-fields",
        rule="protobuf: unknown fields are skipped",
        expected=OK,
        body=bodies.unknown_fields("protobuf"),
    ),
    Case(
        name="grpc-invalid-utf8",
        rule="design: text that is not valid is repaired, for that span alone; a warning tells so",
        expected=Seen(0, "warning"),
        body=bodies.invalid_utf8(),
    ),
    *(
        Case(
            name=f"grpc-one-bad-of-512-{name}-{defect}",
            rule=_PARTIAL,
            expected=Seen(0, "1 rejected"),
            body=bodies.spans(512, **{name: value}).SerializeToString(),
        )
        for name, size in (("trace_id", 16), ("span_id", 8))
        for defect, value in (
            ("missing", b""),
            ("zero", bytes(size)),
            ("short", b"\1" * (size - 1)),
            ("long", b"\1" * 20),
        )
    ),
)
