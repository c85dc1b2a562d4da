"""Runs a program and watches it: output as it comes, its size, digest and end, exit code, duration.

No telemetry in here. Output is read in pieces and never held whole: the digest covers all of it, ``text`` its bounded
beginning and end. Programs run in a session of their own, so that a time-out ends their children too.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import hashlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from agent_otel.model.record import CommandResult as ResultWord

OnOutput = Callable[[str], object]
"""Receives decoded output as it comes."""

KEPT_BYTES: Final = 1 << 20
"""How much output is kept in memory: half of it from the beginning, half from the end."""

_CHUNK: Final = 1 << 16
_GRACE_S: Final = 2.0
"""Between SIGTERM and SIGKILL, and for output of children that outlive the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A program to run: a list of words, or one text for the shell."""

    command: Sequence[str] | str
    cwd: str | None = None
    env: Mapping[str, str] | None = None
    timeout_s: float | None = None
    stdin: str | bytes | None = None
    on_output: OnOutput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of it. ``exit_code`` is None where the program did not start; negative for a signal."""

    result: ResultWord
    exit_code: int | None
    duration_s: float
    output: bytes
    output_bytes: int
    output_sha256: str
    error: str = ""


@dataclass(slots=True)
class Output:
    """Takes output in pieces, and keeps what ``Finished`` tells of it."""

    on_output: OnOutput | None
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def take(self, piece: bytes) -> None:
        """Takes the next piece."""
        self.size += len(piece)
        self.digest.update(piece)
        room = KEPT_BYTES // 2 - len(self.head)
        if room > 0:
            self.head += piece[:room]
        self.tail += piece[max(room, 0) :]
        del self.tail[: max(len(self.tail) - KEPT_BYTES // 2, 0)]
        self._pass_on(self.decoder.decode(piece))

    def close(self) -> None:
        """Notes that there is no more."""
        self._pass_on(self.decoder.decode(b"", final=True))

    def _pass_on(self, text: str) -> None:
        if self.on_output is not None and text:
            self.on_output(text)

    def finished(self, result: ResultWord, exit_code: int | None, started: float, error: str = "") -> Finished:
        """What became of the program that printed it; ``started`` is of the monotonic clock."""
        return Finished(
            result=result,
            exit_code=exit_code,
            duration_s=time.monotonic() - started,
            output=bytes(self.head + self.tail),
            output_bytes=self.size,
            output_sha256=self.digest.hexdigest(),
            error=error,
        )


def run_process(invocation: Invocation) -> Finished:
    """Runs a program to its end.

    Returns:
        What became of it; a program that cannot be started, fails or times out is an answer, not an exception.

    Raises:
        BaseException: what ``on_output`` raises, or an interrupt; the program is ended first.
    """
    output = Output(invocation.on_output)
    started = time.monotonic()
    with _stdin(invocation.stdin) as stdin:
        try:
            process = subprocess.Popen(
                invocation.command,
                shell=isinstance(invocation.command, str),
                cwd=invocation.cwd,
                env=invocation.env,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as exc:
            return output.finished("not_started", None, started, str(exc))
    deadline = None if invocation.timeout_s is None else started + invocation.timeout_s
    try:
        in_time = _pump(process, output, deadline)
    finally:
        # Also on an interrupt or an exception of on_output: no program is left behind.
        if process.poll() is None:
            _end_group(process.pid, process.wait)
        if process.stdout is not None:
            process.stdout.close()
    return _judged(output, process.returncode, started, in_time=in_time)


async def run_process_async(invocation: Invocation) -> Finished:
    """``run_process`` for event loops: nothing blocks, and a cancelled task ends the program."""
    output = Output(invocation.on_output)
    started = time.monotonic()
    reading, writing = os.pipe()
    try:
        with _stdin(invocation.stdin) as stdin:
            process = await _start(invocation, stdin, writing)
    except OSError as exc:
        os.close(reading)
        return output.finished("not_started", None, started, str(exc))
    finally:
        os.close(writing)
    in_time = True
    try:
        await asyncio.wait_for(_drain(process, reading, output), invocation.timeout_s)
    except asyncio.TimeoutError:
        in_time = False
    finally:
        if process.returncode is None:
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.shield(asyncio.wait_for(process.wait(), _GRACE_S))
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()
    return _judged(output, process.returncode, started, in_time=in_time)


async def _start(invocation: Invocation, stdin: IO[bytes] | int, stdout: int) -> asyncio.subprocess.Process:
    """Starts a program on a pipe of our own: asyncio's waits for its end until every holder has closed it."""
    words = ["/bin/sh", "-c", invocation.command] if isinstance(invocation.command, str) else invocation.command
    return await asyncio.create_subprocess_exec(
        *words,
        cwd=invocation.cwd,
        env=invocation.env,
        stdin=stdin,
        stdout=stdout,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


async def _drain(process: asyncio.subprocess.Process, descriptor: int, output: Output) -> None:
    """Reads until the end of the output, or a while longer than the program lives."""
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(descriptor, "rb", buffering=0)
    )
    reading = asyncio.ensure_future(_read_all(stream, output))
    ending = asyncio.ensure_future(process.wait())
    try:
        # What on_output raises ends the reading, and with it the program.
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
            await ending
        else:
            await asyncio.wait({reading}, timeout=_GRACE_S)
            if reading.done():
                reading.result()
    finally:
        reading.cancel()
        ending.cancel()
        transport.close()


async def _read_all(stream: asyncio.StreamReader, output: Output) -> None:
    while piece := await stream.read(_CHUNK):
        output.take(piece)


def _pump(process: subprocess.Popen[bytes], output: Output, deadline: float | None) -> bool:
    """Reads until the end of the output; False when the deadline came first.

    A child of the program may hold the pipe open for ever: once the program is gone, waiting is bounded.
    """
    assert process.stdout is not None  # noqa: S101 - stdout=PIPE
    descriptor = process.stdout.fileno()
    gone_since: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if deadline is not None and now >= deadline and process.poll() is None:
                return False
            if process.poll() is not None:
                gone_since = gone_since or now
                if now - gone_since > _GRACE_S:
                    return True
            wait = 0.1 if deadline is None else max(0.0, min(0.1, deadline - now))
            if selector.select(wait):
                piece = os.read(descriptor, _CHUNK)
                if not piece:
                    break
                output.take(piece)
    return _wait_until(process, deadline)


def _wait_until(process: subprocess.Popen[bytes], deadline: float | None) -> bool:
    """Waits for a program that has closed its output; False when the deadline came first."""
    try:
        process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _judged(output: Output, exit_code: int | None, started: float, *, in_time: bool) -> Finished:
    output.close()
    if not in_time:
        return output.finished("timed_out", exit_code, started)
    return output.finished("passed" if exit_code == 0 else "failed", exit_code, started)


def _end_group(pid: int, wait: Callable[[float], object]) -> None:
    _signal_group(pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        wait(_GRACE_S)
        return
    _signal_group(pid, signal.SIGKILL)
    wait(_GRACE_S)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


@contextlib.contextmanager
def _stdin(given: str | bytes | None) -> Iterator[IO[bytes] | int]:
    """Standard input from a file, so that no program can block us by not reading it."""
    if given is None:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(given.encode() if isinstance(given, str) else given)
        file.seek(0)
        yield file
