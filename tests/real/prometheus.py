"""A real Prometheus as a process, and promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from real.ports import free_port
from real.program import Program, answers, ask

_MISSING: Final = "{} was not found: python3 .ci/parts (make test does so first)"


class Prometheus:
    """A Prometheus that scrapes every second, until it is stopped; ``url`` is where it is asked.

    Args:
        folder: for its configuration, data and log.
        targets: name of a job to the ``host:port`` whose ``/metrics`` it scrapes.
        rules: files of rules.
    """

    def __init__(self, folder: Path, targets: Mapping[str, str], *, rules: Sequence[Path] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [
                # The collector tells whose the series are; without this they would be the collector's.
                {"job_name": job, "honor_labels": True, "static_configs": [{"targets": [target]}]}
                for job, target in targets.items()
            ],
        }
        file = folder / "prometheus.yml"
        file.write_text(json.dumps(config, indent=1))
        self.program = Program(
            [
                program("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            log=folder / "prometheus.log",
            ready=lambda: answers(f"{self.url}/-/ready"),
        )

    def query(self, promql: str, **parameters: object) -> list[dict[str, Any]]:
        """What an instant query gives: parameters are those of ``/api/v1/query``."""
        return list(ask(f"{self.url}/api/v1/query", query=promql, **parameters)["data"]["result"])

    def query_range(self, promql: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """What a query gives over a range of time, in seconds since 1970."""
        asked = {"query": promql, "start": start, "end": end, "step": step}
        return list(ask(f"{self.url}/api/v1/query_range", **asked)["data"]["result"])

    def values(self, promql: str) -> dict[frozenset[tuple[str, str]], float]:
        """What an instant query gives, by labels."""
        return {frozenset(each["metric"].items()): float(each["value"][1]) for each in self.query(promql)}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs promtool; what it said and its exit code."""
    return subprocess.run(
        [program("promtool"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def program(name: str) -> str:
    """The path of a program of Prometheus.

    Raises:
        RuntimeError: there is none; the message says how to have it.
    """
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(_MISSING.format(name))
    return found
