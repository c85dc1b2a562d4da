"""A real OpenTelemetry Collector as a process, with a configuration of a test."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from real.cached import built, collector
from real.ports import free_port, listens, wait_until


class Collector:
    """A collector that runs until it is stopped.

    ``http`` and ``grpc`` are where its OTLP receiver listens (as an exporter's endpoint and as a gRPC target).

    Args:
        folder: for its configuration and log.
        pipelines: signal to the names of processors and exporters, in their order; the OTLP receiver is added.
        config: the rest of the configuration.
    """

    def __init__(self, folder: Path, pipelines: dict[str, list[str]], **config: dict[str, Any]) -> None:
        http, grpc = free_port(), free_port()
        self.http, self.grpc = f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        self._ports = (http, grpc)
        self._config = folder / "collector.json"
        self._log = folder / "collector.log"
        processors = config.get("processors", {})
        whole = {
            "receivers": {
                "otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{http}"}, "grpc": {"endpoint": self.grpc}}}
            },
            **config,
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "extensions": list(config.get("extensions", {})),
                "pipelines": {
                    signal: {
                        "receivers": ["otlp"],
                        "processors": [name for name in names if name in processors],
                        "exporters": [name for name in names if name not in processors],
                    }
                    for signal, names in pipelines.items()
                },
            },
        }
        self._config.write_text(json.dumps(whole, indent=1))
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([built(collector()), "--config", self._config], stdout=log, stderr=log)
        wait_until(
            lambda: self.process.poll() is not None or all(map(listens, self._ports)), what=f"collector: {self.log()}"
        )
        assert self.process.poll() is None, self.log()

    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """Ends it in good order; its exit code."""
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait(15)
