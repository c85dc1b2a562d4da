"""One command whose output passes through live, and is kept as a digest and an end."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from functools import partial
from typing import IO, Final, NamedTuple

from agent_otel.launch.child import Child
from agent_otel.sdk.process import Finished, Invocation, Output

GRACE_S: Final = 2.0
"""For output of children that outlive the command."""

_CHUNK: Final = 1 << 16
_LOOK_S: Final = 0.1


class _Stream(NamedTuple):
    """What the command writes to, and the descriptor of ours that it is passed on to."""

    pipe: IO[bytes]
    descriptor: int


def run_watched(child: Child, invocation: Invocation) -> Finished:
    """Runs a command on this terminal, with its input and its signals.

    Args:
        child: runs it.
        invocation: words and environment.

    Returns:
        What became of it; a command that cannot be started is an answer, not an exception.
    """
    output = Output(None)
    started = time.monotonic()
    words = [invocation.command] if isinstance(invocation.command, str) else invocation.command
    try:
        code = child.run(words, invocation.env or os.environ, copy=partial(_pass_on, output))
    except OSError as exc:
        return output.finished("not_started", None, started, exc.strerror or str(exc))
    return output.finished("passed" if code == 0 else "failed", code, started)


def _pass_on(output: Output, process: subprocess.Popen[bytes]) -> None:
    """Copies until both streams end, or a while longer than the command lives; in the order in which they are read."""
    with selectors.DefaultSelector() as selector:
        for pipe, descriptor in ((process.stdout, 1), (process.stderr, 2)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, _Stream(pipe, descriptor))
        gone_since: float | None = None
        while selector.get_map() and (gone_since is None or time.monotonic() - gone_since < GRACE_S):
            if gone_since is None and process.poll() is not None:
                gone_since = time.monotonic()
            for key, _ in selector.select(_LOOK_S):
                if not _passed(output, key.data):
                    selector.unregister(key.fileobj)
                    key.data.pipe.close()
        for left in selector.get_map().values():
            left.data.pipe.close()


def _passed(output: Output, stream: _Stream) -> bool:
    """Copies one piece; False where there is no more to copy, or nobody to read it.

    Closing the pipe then, the command hears of it as it would if nobody stood between.
    """
    piece = os.read(stream.pipe.fileno(), _CHUNK)
    output.take(piece)
    left = piece
    try:
        while left:
            left = left[os.write(stream.descriptor, left) :]
    except BrokenPipeError:
        return False
    return bool(piece)
