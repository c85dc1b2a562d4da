"""Inflates request bodies, however little of them it takes to fill the memory.

The body is fed in pieces so small that what one of them can become is bounded, and what came out is counted after each:
a body that would grow past the limit is given up there, having cost no more than the limit.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from agent_otel.errors import DecodeError, TooLarge, Unsupported

MOST_MEMBERS: Final = 10_000
"""Members (zstd: frames) of one body. Block compressors make one per 64 KiB; a million empty ones cost seconds."""

LARGEST_WINDOW: Final = 8 << 20
"""How far back a zstd frame may refer, which is memory of ours: what RFC 8878 recommends decoders to support."""

_GZIP_WRAPPED: Final = 16 + zlib.MAX_WBITS


class Member(Protocol):
    """A part of a body that was compressed by itself, being inflated: a gzip member or a zstd frame."""

    @property
    def eof(self) -> bool:
        """Whether its end was seen."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond its end."""

    def decompress(self, data: bytes, /) -> bytes:
        """What the next bytes of it become."""


class Codec(msgspec.Struct, frozen=True):
    """One content encoding. ``piece`` is how much is fed at once: what it becomes at worst is held in memory."""

    begin: Callable[[], Member]
    error: type[Exception]
    piece: int


def inflate(body: bytes, encoding: str, *, limit: int, reach: Callable[[int], object] = lambda _: None) -> bytes:
    """The body as it was before it was compressed.

    Args:
        body: as it came.
        encoding: the ``Content-Encoding``; "" and ``identity`` where it is not compressed.
        limit: how many bytes it may have inflated.
        reach: told how many bytes it has so far, before they are kept; what it raises ends the work.

    Raises:
        DecodeError: it is not of this encoding, is cut short, or goes on after its end.
        TooLarge: it inflates to more bytes than the limit, or is of too many parts.
        Unsupported: the encoding is not one of ``accepted()``.
    """
    if encoding.strip().lower() in {"", "identity"}:
        if len(body) > limit:
            raise _too_large(limit)
        return body
    inflated = io.BytesIO()  # gives its bytes away without copying them, which a list of parts or a bytearray cannot
    for part in _parts(body, _codec(encoding)):
        size = inflated.tell() + len(part)
        if size > limit:
            raise _too_large(limit)
        reach(size)
        inflated.write(part)
    return inflated.getvalue()


def accepted() -> tuple[str, ...]:
    """The content encodings that are read here."""
    return ("gzip", "zstd", "identity") if _zstd() else ("gzip", "identity")


def _parts(body: bytes, codec: Codec) -> Iterator[bytes]:
    member, members = codec.begin(), 1
    try:
        for start in range(0, len(body), codec.piece):
            piece = body[start : start + codec.piece]
            while piece:
                if member.eof:
                    member, members = codec.begin(), members + 1
                    if members > MOST_MEMBERS:
                        message = f"a compressed request of more than {MOST_MEMBERS} parts"
                        raise TooLarge(message)
                yield member.decompress(piece)
                piece = member.unused_data if member.eof else b""
    except codec.error as exc:
        message = f"cannot be decompressed: {exc}"
        raise DecodeError(message) from exc
    if not member.eof:
        message = "cannot be decompressed: cut short"
        raise DecodeError(message)


def _codec(encoding: str) -> Codec:
    name = encoding.strip().lower()
    # RFC 9110 8.4.1.3: a recipient should take "x-gzip" for "gzip".
    codec = _GZIP if name in {"gzip", "x-gzip"} else _zstd() if name == "zstd" else None
    if codec is None:
        message = f"content encoding {encoding[:40]!r} is not read here: send {', '.join(accepted())}"
        raise Unsupported(message)
    return codec


def _begin_gzip() -> Member:
    return zlib.decompressobj(_GZIP_WRAPPED)


# Deflate packs 1032 to 1 at best, so that a piece becomes 4 MiB.
_GZIP: Final = Codec(_begin_gzip, zlib.error, 4 << 10)


def _zstd() -> Codec | None:
    """None where the library is missing; then it is as if there were no such encoding."""
    try:
        import zstandard  # noqa: PLC0415 - optional
    except ImportError:
        return None
    # A block of 128 KiB can be packed into four bytes, so that a piece becomes 16 MiB.
    return Codec(zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj, zstandard.ZstdError, 512)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a request of more than {limit} bytes: send fewer items at a time")
