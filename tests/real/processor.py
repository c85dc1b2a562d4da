"""A processor as a process of its own, as operators run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


class Processor:
    """A real ``agent-otel serve`` process on free ports, with a database of its own.

    ``http`` and ``grpc`` are where it listens (as an exporter's endpoint and as a gRPC target), "" where it does not.
    """

    def __init__(
        self, *arguments: str, db: str, log: Path, env: dict[str, str] | None = None, command: str = "serve"
    ) -> None:
        self.db = db
        self._log = log
        listen = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"] if command == "serve" else []
        whole = [sys.executable, "-m", "agent_otel", command, "--json", "--db", db, *listen, *arguments]
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                whole, stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, **(env or {})}
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()  # one line, once everything works; none where it has ended
        self.process.stdout.close()
        if not said:
            self.process.wait(30)
            message = f"the processor ended with {self.process.returncode}: {self.log()}"
            raise AssertionError(message)
        where = json.loads(said)
        self.http = "".join(where["http"][:1])
        self.grpc = "".join(where["grpc"][:1])

    @property
    def pid(self) -> int:
        """Of the process that listens."""
        return self.process.pid

    def log(self) -> str:
        """Everything it wrote to standard error."""
        return self._log.read_text(errors="replace")

    def stop(self, timeout: float = 15) -> int:
        """Ends it with SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait(15)
