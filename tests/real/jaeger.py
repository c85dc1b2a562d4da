"""A real Jaeger as a process; it keeps what it took over restarts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from real.cached import backend, built
from real.ports import free_port
from real.program import Program, answers, ask


class Jaeger:
    """A Jaeger that runs until it is stopped.

    ``http`` and ``grpc`` are where it takes OTLP (as an exporter's endpoint and as a gRPC target), ``query`` is where
    it is asked, and where its pages are.

    Args:
        folder: for its configuration, data and log.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ports = [free_port() for _ in range(4)]
        http, self.grpc, query, query_grpc = (f"127.0.0.1:{port}" for port in ports)
        self.http, self.query = f"http://{http}", f"http://{query}"
        data = {"keys": str(folder / "keys"), "values": str(folder / "values")}
        config = {
            "extensions": {
                # Written through, so that what was acknowledged is there after a kill.
                "jaeger_storage": {
                    "backends": {"disk": {"badger": {"directories": data, "ephemeral": False, "consistency": True}}}
                },
                "jaeger_query": {
                    "storage": {"traces": "disk"},
                    "enable_tracing": False,
                    "http": {"endpoint": query},
                    "grpc": {"endpoint": query_grpc},
                },
            },
            "receivers": {
                "otlp": {"protocols": {"http": {"endpoint": http}, "grpc": {"endpoint": self.grpc}}},
            },
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "disk"}},
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            },
        }
        file = folder / "jaeger.json"
        file.write_text(json.dumps(config, indent=1))
        self.program = Program(
            [built(backend("jaeger")), "--config", file],
            log=folder / "jaeger.log",
            ready=lambda: answers(f"{self.query}/api/services"),
        )

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, in the form of Jaeger's own pages; none where it has no such trace."""
        try:
            return list(ask(f"{self.query}/api/traces/{trace_id}")["data"][0]["spans"])
        except HTTPError as exc:
            if exc.code != 404:
                raise
            return []

    def traces(self, service: str, **parameters: object) -> list[dict[str, Any]]:
        """What its search finds: parameters are those of ``/api/traces``."""
        return list(ask(f"{self.query}/api/traces", service=service, **parameters)["data"])
