"""A real OpenTelemetry Collector as a process, with a configuration of a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from real.cached import built, collector
from real.ports import free_port, listens
from real.program import Program


class Collector(Program):
    """A collector of one configuration.

    ``http`` and ``grpc`` are where its OTLP receiver listens (as an exporter's endpoint and as a gRPC target).

    Args:
        folder: for its configuration and log.
        pipelines: signal to the names of processors and exporters, in their order; the OTLP receiver is added.
        config: the rest of the configuration.
    """

    def __init__(self, folder: Path, pipelines: dict[str, list[str]], **config: dict[str, Any]) -> None:
        http, grpc = free_port(), free_port()
        self.http, self.grpc = f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        config_file = folder / "collector.json"
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
        config_file.write_text(json.dumps(whole, indent=1))
        super().__init__(
            [built(collector()), "--config", config_file],
            log=folder / "collector.log",
            ready=lambda: listens(http) and listens(grpc),
        )
