"""The requirements: what is sent, the sentence that speaks of it, and what a conforming server is seen to do.

The sentences are of opentelemetry-proto, docs/specification.md (1.11), but for those that begin with "HTTP:" (RFC 9110)
and those that begin with "design:", which are promises of this project.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import Final

import zstandard

from conformance import bodies

TYPES: Final = {"protobuf": "application/x-protobuf", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client sees of an answer.

    ``says``: "success", "N rejected", "warning" (a partial success that rejects nothing), "status" (google.rpc.Status),
    or "something" else, all decoded in the request's encoding, by which the
    content type must go, too. In what is expected, "" leaves that open.
    """

    status: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request, and what is to be seen."""

    name: str
    rule: str
    expected: Seen
    signal: str = "traces"
    encoding: str = "protobuf"
    body: bytes = b""
    method: str = "POST"
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)


SUCCESS: Final = Seen(200, "success")
BAD: Final = Seen(400, "status")

_FULL: Final = "On success, the server MUST respond with HTTP 200 OK"
_PARTIAL: Final = "the server MUST populate rejected_spans with the number of spans that were rejected"
_BAD_DATA: Final = "If the request contains data that cannot be decoded, the server MUST respond with 400"

_PLAIN: Final = tuple(
    case
    for encoding in TYPES
    for signal in bodies.SIGNALS
    for case in (
        Case(
            name=f"one-{signal}-{encoding}",
            rule=_FULL,
            expected=SUCCESS,
            signal=signal,
            encoding=encoding,
            body=bodies.one(signal, encoding),
        ),
        Case(
            name=f"empty-{signal}-{encoding}",
            rule="If the server receives an empty request the server SHOULD respond with success",
            expected=SUCCESS,
            signal=signal,
            encoding=encoding,
            body=bodies.empty(encoding),
        ),
        Case(
            name=f"gzip-{signal}-{encoding}",
            rule="The client MAY gzip the content and in that case MUST include Content-Encoding: gzip",
            expected=SUCCESS,
            signal=signal,
            encoding=encoding,
            body=gzip.compress(bodies.one(signal, encoding)),
            headers={"Content-Encoding": "gzip"},
        ),
        Case(
            name=f"rubbish-{signal}-{encoding}",
            rule=_BAD_DATA,
            expected=BAD,
            signal=signal,
            encoding=encoding,
            body=b"this is rubbish",
        ),
        Case(
            name=f"wrong-path-{signal}-{encoding}",
            rule="HTTP: 404 (Not Found)",
            expected=Seen(404, ""),
            signal=signal,
            encoding=encoding,
            path=f"/v1/{signal}/",
            body=bodies.one(signal, encoding),
        ),
    )
)

_THREE: Final = bodies.spans(3).SerializeToString()
_IN_TWO: Final = gzip.compress(_THREE[:20]) + gzip.compress(_THREE[20:])

_HEADERS: Final = (
    Case(
        name="content-type-with-parameter",
        rule="HTTP: media types have parameters; application/json; charset=utf-8 is what browsers send",
        expected=SUCCESS,
        encoding="json",
        body=bodies.one("traces", "json"),
        headers={"Content-Type": "application/json; charset=utf-8"},
    ),
    Case(
        name="content-type-in-capitals",
        rule="HTTP: media types are case-insensitive",
        expected=SUCCESS,
        body=bodies.one("traces", "protobuf"),
        headers={"Content-Type": "Application/X-Protobuf"},
    ),
    Case(
        name="content-type-unknown",
        rule="HTTP: 415 (Unsupported Media Type)",
        expected=Seen(415, ""),
        body=b"hello",
        headers={"Content-Type": "text/plain"},
    ),
    Case(
        name="content-encoding-identity",
        rule="HTTP: identity is no encoding",
        expected=SUCCESS,
        body=bodies.one("traces", "protobuf"),
        headers={"Content-Encoding": "identity"},
    ),
    *(
        Case(
            name=f"zstd-{encoding}",
            rule="HTTP: a server may take other codings; the collector takes zstd",
            expected=SUCCESS,
            encoding=encoding,
            body=zstandard.ZstdCompressor().compress(bodies.one("traces", encoding)),
            headers={"Content-Encoding": "zstd"},
        )
        for encoding in TYPES
    ),
    Case(
        name="content-encoding-unknown",
        rule="HTTP: 415 where the content coding is not acceptable",
        expected=Seen(415, "status"),
        body=bodies.one("traces", "protobuf"),
        headers={"Content-Encoding": "compress"},
    ),
    Case(
        name="gzip-in-two-members",
        rule="design: inflate over all gzip members (RFC 1952, 2.2)",
        expected=SUCCESS,
        body=_IN_TWO,
        headers={"Content-Encoding": "gzip"},
    ),
    Case(
        name="gzip-cut-short",
        rule=_BAD_DATA,
        expected=BAD,
        body=gzip.compress(bodies.spans(20).SerializeToString())[:-12],
        headers={"Content-Encoding": "gzip"},
    ),
    Case(
        name="gzip-that-is-none",
        rule=_BAD_DATA,
        expected=BAD,
        body=b"this was never compressed",
        headers={"Content-Encoding": "gzip"},
    ),
    Case(
        name="get",
        rule="HTTP: 405 (Method Not Allowed)",
        expected=Seen(405, ""),
        method="GET",
    ),
)

_JSON: Final = tuple(
    Case(name=name, rule=rule, expected=expected, encoding="json", body=body)
    for name, rule, expected, body in (
        (
            "ids-in-capitals",
            "trace_id and span_id are represented as case-insensitive hex-encoded strings",
            SUCCESS,
            bodies.json_span(traceId=bodies.TRACE.hex().upper(), spanId=bodies.SPAN.hex().upper()),
        ),
        (
            "ids-in-base64",
            "base64 encoding is NOT used for trace_id and span_id",
            Seen(200, "1 rejected"),
            bodies.base64_ids(),
        ),
        (
            "integers-as-numbers",
            "protobuf JSON: 64-bit integers are strings; either numbers or strings are accepted",
            SUCCESS,
            bodies.json_span(startTimeUnixNano=bodies.TIME, endTimeUnixNano=str(bodies.TIME + 5)),
        ),
        (
            "enums-as-integers",
            "Values of enum fields MUST be encoded as integer values",
            SUCCESS,
            bodies.json_span(kind=3, status={"code": 2}),
        ),
        (
            "unknown-fields-json",
            "OTLP/JSON receivers MUST ignore message fields with unknown names",
            SUCCESS,
            bodies.unknown_fields("json"),
        ),
        *(
            (
                f"one-bad-of-512-json-{name}-{defect}",
                _PARTIAL,
                Seen(200, "1 rejected"),
                bodies.json_spans(512, **{name: value}),
            )
            for name in ("traceId", "spanId")
            for defect, value in (("missing", ""), ("short", "ab"), ("no-hex", "x" * 16))
        ),
        ("json-of-another-kind", _BAD_DATA, BAD, b'[{"resourceSpans": []}]'),
        ("json-cut-short", _BAD_DATA, BAD, bodies.one("traces", "json")[:-3]),
    )
)

_SPANS: Final = tuple(
    Case(name=name, rule=rule, expected=expected, body=body)
    for name, rule, expected, body in (
        ("unknown-fields-protobuf", "protobuf: unknown fields are skipped", SUCCESS, bodies.unknown_fields("protobuf")),
        (
            "invalid-utf8",
            "design: text that is not valid is repaired, for that span alone; a warning tells so",
            Seen(200, "warning"),
            bodies.invalid_utf8(),
        ),
        *(
            (
                f"one-bad-of-512-{field_name}-{defect}",
                _PARTIAL,
                Seen(200, "1 rejected"),
                bodies.spans(512, **{field_name: value}).SerializeToString(),
            )
            for field_name, size in (("trace_id", 16), ("span_id", 8))
            for defect, value in (
                ("missing", b""),
                ("zero", bytes(size)),
                ("short", b"\1" * (size - 1)),
                ("long", b"\1" * 20),
            )
        ),
        ("cut-short", _BAD_DATA, BAD, bodies.spans(3).SerializeToString()[:-1]),
        ("bytes-after-the-end", _BAD_DATA, BAD, bodies.spans(3).SerializeToString() + b"\x0a\x7f"),
    )
)

CASES: Final = (*_PLAIN, *_HEADERS, *_JSON, *_SPANS)
