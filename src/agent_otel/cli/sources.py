"""Telemetry in files: which files, what is in them, one request at a time.

A file of JSON lines or of length-prefixed messages is read request by request, so that its size does not matter;
anything else is one request. What is inside a request is for ``otlp`` to say.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.limits import DEFAULT_LIMITS

SUFFIXES: Final = frozenset((".jsonl", ".ndjson", ".json", ".pb", ".bin", ".proto", ".otlp"))
"""Files of a folder that are read, with or without ``.gz`` behind; a file that is named itself is always read."""

_GZIP: Final = b"\x1f\x8b"
_FRAME_HEADER: Final = 4
_PEEK: Final = 64


class Request(NamedTuple):
    """One request of a file; ``where`` names it, ``error`` stands where its bytes cannot be had.

    ``is_line`` says that it is a line of JSON lines; otherwise it can be of any kind.
    """

    where: str
    body: bytes
    error: DecodeError | TooLarge | None = None
    is_line: bool = False


def files_in(path: Path) -> list[Path]:
    """The path itself, or the telemetry files of a folder and the folders in it, in order of their names."""
    if not path.is_dir():
        return [path]
    found = (file for file in path.rglob("*") if file.is_file() and _is_telemetry(file.relative_to(path)))
    return sorted(found)


def requests_in(file: IO[bytes], name: str, *, read: Callable[[int], object] = lambda _: None) -> Iterator[Request]:
    """The requests in a file, inflated where it is gzip (whatever its name, and with as many members as it has).

    Args:
        file: the file, open at its beginning.
        name: what to call it.
        read: told how many bytes of the file were read, for progress.
    """
    raw = _buffered(_Counted(file, read))
    if raw.peek(len(_GZIP)).startswith(_GZIP):
        raw = _buffered(gzip.GzipFile(fileobj=raw))
    yield from _guarded(raw, name)


def _buffered(file: object) -> io.BufferedReader:
    return cast("io.BufferedReader", io.BufferedReader(file, 1 << 16))


def _guarded(file: io.BufferedReader, name: str) -> Iterator[Request]:
    try:
        yield from _requests(file, name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        yield Request(name, b"", DecodeError(f"damaged gzip: {exc}"))


def _is_telemetry(file: Path) -> bool:
    plain = file.with_suffix("") if file.suffix == ".gz" else file
    return plain.suffix in SUFFIXES and not any(part.startswith(".") for part in file.parts)


def _requests(file: io.BufferedReader, name: str) -> Iterator[Request]:
    start = file.peek(_PEEK)[:_PEEK]
    if start[:1] == b"\0":
        return _frames(file, name)
    if start.lstrip(b" \t\xef\xbb\xbf")[:1] == b"{":
        return _lines(file, name)
    return iter([_checked(name, file.read(DEFAULT_LIMITS.body_bytes + 1))] if start else [])


def _lines(file: io.BufferedReader, name: str) -> Iterator[Request]:
    """One request a line; or, where the first line is not a whole document, one document printed over many."""
    most = DEFAULT_LIMITS.body_bytes + 1
    line = file.readline(most)
    if len(line) < most and not line.rstrip().endswith(b"}"):
        yield _checked(name, line + file.read(most - len(line)))
        return
    number = 0
    while line:
        number += 1
        if not line.isspace():
            yield _checked(f"{name}:{number}", line)._replace(is_line=True)
        if len(line) == most and not line.endswith(b"\n"):
            _skip_line(file)
        line = file.readline(most)


def _skip_line(file: io.BufferedReader) -> None:
    while (rest := file.readline(1 << 20)) and not rest.endswith(b"\n"):
        pass


def _frames(file: io.BufferedReader, name: str) -> Iterator[Request]:
    """The messages of the collector's file exporter in ``proto`` format: a length of four bytes before each."""
    number = 0
    while header := file.read(_FRAME_HEADER):
        number += 1
        size = int.from_bytes(header, "big")
        where = f"{name}: message {number}"
        if size > DEFAULT_LIMITS.body_bytes:
            yield Request(where, b"", TooLarge(f"a message of {size} bytes"))
            return
        body = file.read(size)
        if len(header) < _FRAME_HEADER or len(body) < size:
            yield Request(where, b"", DecodeError("the file ends inside a message"))
            return
        yield Request(where, body)


def _checked(where: str, body: bytes) -> Request:
    if len(body) > DEFAULT_LIMITS.body_bytes:
        return Request(where, b"", TooLarge(f"more than {DEFAULT_LIMITS.body_bytes} bytes in one request"))
    return Request(where, body)


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read, before it is inflated."""

    def __init__(self, file: IO[bytes], read: Callable[[int], object]) -> None:
        self._file = file
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Iterable[int]) -> int:  # type: ignore[override]  # the type of a buffer is private to typeshed
        view = memoryview(buffer)  # type: ignore[arg-type]  # as above
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._read(len(data))
        return len(data)
