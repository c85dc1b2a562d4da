"""Inflates gzip bodies."""

from __future__ import annotations

import zlib

from agent_otel.errors import DecodeError, TooLarge

_GZIP = 31


def inflate(body: bytes, compression: str, *, limit: int) -> bytes:
    """The body as it was before it was compressed."""
    if not compression:
        return body
    inflated = bytearray()
    try:
        while body:
            member = zlib.decompressobj(_GZIP)
            inflated += member.decompress(body, limit + 1 - len(inflated))
            _check(len(inflated) <= limit, whole=member.eof)
            body = member.unused_data
    except zlib.error as exc:
        message = f"not gzip: {exc}"
        raise DecodeError(message) from exc
    return bytes(inflated)


def _check(fits: bool, *, whole: bool) -> None:  # noqa: FBT001
    if not fits:
        message = "too large"
        raise TooLarge(message)
    if not whole:
        message = "gzip is cut"
        raise DecodeError(message)
