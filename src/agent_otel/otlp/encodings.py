"""The two encodings of OTLP/HTTP, and the content types that name them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from agent_otel.errors import Unsupported

Encoding = Literal["protobuf", "json"]

CONTENT_TYPES: Final[Mapping[Encoding, str]] = MappingProxyType(
    {"protobuf": "application/x-protobuf", "json": "application/json"}
)
"""What a reply says; the same that the request said ("OTLP/HTTP Response" in the specification)."""

_ENCODINGS: Final = {content_type: encoding for encoding, content_type in CONTENT_TYPES.items()}


def encoding_of(content_type: str) -> Encoding:
    """The encoding that a ``Content-Type`` names, whatever its case and parameters.

    Raises:
        Unsupported: none.
    """
    name = content_type.partition(";")[0].strip().lower()
    if name not in _ENCODINGS:
        message = f"content type {content_type[:80]!r} is not read here: send {' or '.join(_ENCODINGS)}"
        raise Unsupported(message)
    return _ENCODINGS[name]
