"""A program on the terminal of this one: it inherits all three streams, gets the signals, and ends as it ends.

It stays in this process's group, so that the terminal's own signals (Ctrl-C, Ctrl-Z, a resized window) reach it as if
nobody stood between.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

GRACE_S: Final = 8.0
"""How long an agent may take to end after SIGTERM; service managers kill ten seconds after theirs."""

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
"""Exit statuses by which shells tell that a program was not started."""

FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP)
"""Signals that come to one process."""

FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to the whole group in its foreground."""

_STDIN: Final = 0


Copy = Callable[["subprocess.Popen[bytes]"], object]
"""Reads the standard output and error of a program until they end, or the program has."""


class Child:
    """A program to run once.

    Args:
        grace_s: how long it may take to end after SIGTERM.
    """

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._process: subprocess.Popen[bytes] | None = None
        self._early: int | None = None
        self._killing: threading.Timer | None = None

    def run(self, command: Sequence[str], environ: Mapping[str, str], *, copy: Copy | None = None) -> int:
        """Runs the program to its end.

        Args:
            command: its words.
            environ: its whole environment.
            copy: follows what it prints through pipes; without it, the program has the streams of this process.

        Returns:
            Its exit code; negative for the signal that ended it.

        Raises:
            OSError: it cannot be started.
        """
        with _terminal_as_it_was():
            pipe = subprocess.PIPE if copy is not None else None
            process = self._process = subprocess.Popen(list(command), env=dict(environ), stdout=pipe, stderr=pipe)
            if self._early is not None:
                self._send(self._early)
            try:
                if copy is not None:
                    copy(process)
                return process.wait()
            finally:
                if self._killing is not None:
                    self._killing.cancel()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Passes signals on to the program; those that come when it is gone wait for nobody.

        In the main thread only.
        """
        # Handlers, and not SIG_IGN, which a program that is started would inherit.
        before = {number: signal.signal(number, self._heard) for number in (*FORWARDED, *FROM_TERMINAL)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, number: int, _: FrameType | None) -> None:
        if number in FROM_TERMINAL and _in_foreground():
            return  # the program has got it, too
        if self._process is None:
            self._early = number
        else:
            self._send(number)

    def _send(self, number: int) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(number)
        if number in FORWARDED and self._killing is None:
            self._killing = threading.Timer(self._grace_s, process.kill)
            self._killing.daemon = True
            self._killing.start()


def refusal(program: str) -> tuple[str, int] | None:
    """Why a shell would not start a program, and the exit status that tells so; None where it would."""
    if shutil.which(program) is not None:
        return None
    if os.sep in program and Path(program).exists():
        return "cannot be run", NOT_EXECUTABLE
    return "command not found", NOT_FOUND


def status_of(code: int) -> int:
    """The exit status by which a shell tells an exit code: 128 and the number of the signal."""
    return code if code >= 0 else 128 - code


def _in_foreground() -> bool:
    """Whether this process is in the foreground group of a terminal of its own."""
    try:
        descriptor = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """Gives the terminal its modes back: a program that is killed leaves them as they were on its screen."""
    modes: list[Any] | None = None
    with contextlib.suppress(termios.error):  # standard input is no terminal
        modes = termios.tcgetattr(_STDIN)
    try:
        yield
    finally:
        if modes is not None and _in_foreground():  # who is not in front must not touch it
            with contextlib.suppress(termios.error):
                termios.tcsetattr(_STDIN, termios.TCSADRAIN, modes)
