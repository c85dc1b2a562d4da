"""A program that tests run beside themselves, and that they can ask over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from real.ports import wait_until


class Program:
    """A program that runs from the start until it is stopped; ``start`` brings it back.

    Args:
        command: and its arguments.
        log: file that all it says is added to.
        ready: whether it is ready for work.
        env: beside this process's environment.
    """

    def __init__(
        self, command: Sequence[str | Path], *, log: Path, ready: Callable[[], bool], env: dict[str, str] | None = None
    ) -> None:
        self._command, self._log, self._ready, self._env = command, log, ready, env or {}
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it is ready.

        Raises:
            AssertionError: it ended instead, or took too long; the message has the end of what it said.
        """
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self._env}
            )
        try:
            wait_until(lambda: self.process.poll() is not None or self._ready(), timeout_s=60)
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
        except AssertionError as exc:
            self.kill()
            message = f"{self._command[0]}: {exc}\n{self.log()[-4000:]}"
            raise AssertionError(message) from exc

    def log(self) -> str:
        """What it said."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """Ends it in good order; its exit code."""
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait(15)


def answers(url: str) -> bool:
    """Whether somebody says there that all is well."""
    try:
        with urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def ask(url: str, **parameters: object) -> Any:
    """The JSON document that is at an address.

    Raises:
        HTTPError: the answer was no success.
    """
    with urlopen(f"{url}?{urlencode(parameters, doseq=True)}" if parameters else url, timeout=30) as reply:
        return json.load(reply)
