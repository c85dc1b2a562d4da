"""Reads OTLP of unknown kind: what the collector's file exporter writes, saved request bodies, any signal.

A file is a row of requests. As a bad span does not reject its neighbours, a bad line does not reject the others: a
collector that was killed leaves half a line at the end. Only bytes in which nothing can be read are a ``DecodeError``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Final, get_args

import msgspec

from agent_otel.errors import DecodeError
from agent_otel.otlp import otlp_json
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Received, SignalName, Tally
from agent_otel.otlp.sniff import kind_of

_FRAME_HEADER: Final = 4
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def items_from_bytes(body: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items in a file or request body of any kind.

    Understood are OTLP/JSON (one document, an array of them, or one a line) and OTLP/protobuf (one request, or many
    with a length of four bytes before each, as the file exporter's ``proto`` format has it), of any signal.
    Of metrics, nearly all is counted as ignored; see ``measures``.

    Raises:
        DecodeError: nothing in it can be read.
        TooLarge: one of its requests is over a limit.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return _from_json(body, limits)
        except DecodeError:
            # A protobuf request begins with byte 0x0a, which is also a line feed, and its length can be a brace.
            if body[:1] != b"\n":
                raise
    if body[:1] == b"\0":
        return _combined(_frames(body), lambda frame: _from_request(frame, limits))
    return _from_request(body, limits)


def items_from_line(line: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Received:
    """The items of one OTLP/JSON request of any signal, or of an array of them.

    Raises:
        DecodeError: it is not JSON, or no request.
        TooLarge: it is over a limit.
    """
    if line.lstrip().startswith(b"["):
        return _combined(_array(line), lambda part: items_from_line(part, limits=limits))
    request = otlp_json.request(line, limits=limits)
    if not request.signals:
        message = "neither resourceSpans nor resourceLogs nor resourceMetrics: no OTLP/JSON request"
        raise DecodeError(message)
    tally = Tally()
    for signal in get_args(SignalName):
        tally.include(otlp_json.items_of(request, signal, limits=limits))
    return tally.received()


def _from_json(body: bytes, limits: Limits) -> Received:
    """One document a line, when the first line looks like one; else (a document printed over many lines) one in all."""
    first_line = body.lstrip().partition(b"\n")[0].rstrip()
    if first_line.endswith(b"}") or first_line == body.strip():
        return _combined(_lines(body), lambda line: items_from_line(line, limits=limits))
    return items_from_line(body, limits=limits)


def _from_request(body: bytes, limits: Limits) -> Received:
    return items_from_protobuf(body, kind_of(body, limits=limits), limits=limits)


def _combined(parts: Iterable[tuple[str, bytes]], read: Callable[[bytes], Received]) -> Received:
    """What all parts hold; those that cannot be read are one rejection, which names the first."""
    tally, readable = Tally(), 0
    failures: list[tuple[str, DecodeError]] = []
    for where, part in parts:
        try:
            tally.include(read(part))
        except DecodeError as exc:  # noqa: PERF203 - one bad line must not cost the others
            failures.append((where, exc))
        else:
            readable += 1
    if failures:
        where, first = failures[0]
        if not readable:
            raise first
        tally.reject(f"{where}: {first}", len(failures))
    return tally.received()


def _lines(body: bytes) -> Iterator[tuple[str, bytes]]:
    for number, line in enumerate(io.BytesIO(body), start=1):
        if not line.isspace():
            yield f"line {number}", line


def _array(document: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        parts = _RAWS.decode(document)
    except (msgspec.DecodeError, RecursionError) as exc:
        message = f"not a JSON array of requests: {exc}"
        raise DecodeError(message) from exc
    for number, part in enumerate(parts, start=1):
        yield f"element {number}", bytes(part)


def _frames(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The messages of the file exporter's ``proto`` format; of the last one, as much as is there."""
    position, number = 0, 0
    while position < len(body):
        number += 1
        start = position + _FRAME_HEADER
        position = start + int.from_bytes(body[position:start], "big")
        yield f"message {number}", body[start:position]
