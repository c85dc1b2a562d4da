"""A real Grafana Tempo as a process, everything in one, with its data in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from real.cached import backend, built
from real.ports import free_port
from real.program import Program, answers, ask


class Tempo:
    """A Tempo that runs until it is stopped.

    ``http`` and ``grpc`` are where it takes OTLP (as an exporter's endpoint and as a gRPC target), ``query`` is where
    it is asked.

    Args:
        folder: for its configuration, data and log.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        query, inner, gossip, http, grpc = (free_port() for _ in range(5))
        self.http, self.grpc, self.query = f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}", f"http://127.0.0.1:{query}"
        here = {"instance_addr": "127.0.0.1"}
        config = {
            "stream_over_http_enabled": True,
            "server": {
                "http_listen_address": "127.0.0.1",
                "http_listen_port": query,
                "grpc_listen_address": "127.0.0.1",
                "grpc_listen_port": inner,
                "log_level": "warn",
            },
            "distributor": {
                "ring": here,
                "receivers": {
                    "otlp": {
                        "protocols": {
                            "http": {"endpoint": f"127.0.0.1:{http}"},
                            "grpc": {"endpoint": self.grpc},
                        }
                    }
                },
            },
            # Found by a search soon, instead of after some thirty seconds.
            "live_store": {
                "max_trace_live": "2s",
                "max_trace_idle": "1s",
                "flush_check_period": "1s",
                "max_block_duration": "5s",
                "wal": {"path": str(folder / "live")},
                "shutdown_marker_dir": str(folder / "marker"),
                "ring": here,
                "partition_ring": {"kvstore": {"store": "inmemory"}},
            },
            "querier": {"frontend_worker": {"frontend_address": f"127.0.0.1:{inner}"}},
            "backend_worker": {"backend_scheduler_addr": f"127.0.0.1:{inner}", "finish_on_shutdown_timeout": "1s"},
            "backend_scheduler": {"local_work_path": str(folder / "work")},
            "metrics_generator": {"storage": {"path": str(folder / "generator")}, "ring": here},
            "storage": {
                "trace": {
                    "backend": "local",
                    "local": {"path": str(folder / "blocks")},
                    "wal": {"path": str(folder / "wal")},
                    "blocklist_poll": "2s",
                }
            },
            "memberlist": {"bind_addr": ["127.0.0.1"], "bind_port": gossip, "abort_if_cluster_join_fails": False},
            "usage_report": {"reporting_enabled": False},
        }
        file = folder / "tempo.json"  # YAML, too
        file.write_text(json.dumps(config, indent=1))
        self.program = Program(
            [built(backend("tempo")), "-target=all", f"-config.file={file}"],
            log=folder / "tempo.log",
            ready=lambda: answers(f"{self.query}/ready"),
        )

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, in the names of OTLP/JSON; none where it has no such trace."""
        try:
            found = ask(f"{self.query}/api/traces/{trace_id}")
        except HTTPError as exc:
            if exc.code != 404:
                raise
            return []
        scopes = [scope for batch in found["batches"] for scope in batch["scopeSpans"]]
        return [span for scope in scopes for span in scope["spans"]]

    def search(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """The traces that a TraceQL query finds: parameters are those of ``/api/search``."""
        return list(ask(f"{self.query}/api/search", q=query, **parameters).get("traces") or [])
