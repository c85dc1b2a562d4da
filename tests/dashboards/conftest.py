"""Agents at work, and what a processor and Prometheus have of it: the truth that dashboards are held against."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
import pytest

from agent_otel.model.record import to_builtins
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from dialect_cases import CASES, items_of
from real.agents import Agents
from real.configured import Configured
from real.grafana import Range
from real.ports import free_port, wait_until
from real.postgres import PostgresServer
from real.processor import Processor
from real.prometheus import Prometheus

SIGNALS = {"traces": "/v1/traces", "logs": "/v1/logs"}
DAY_S = 86_400
SCRAPE_S = 1.0
RUNS = 5
"""Those of each round."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Fleet:
    """What ran: where its records and metrics are, the records, and when the second round of agents began."""

    db: str
    prometheus: Prometheus
    records: Rows
    again_s: float

    def everything(self) -> Range:
        """The time range of all runs."""
        started = [datetime.fromisoformat(each["started"].replace("Z", "+00:00")) for each in self.records]
        return Range(min(started).timestamp() - DAY_S, max(started).timestamp() + DAY_S)

    def lately(self, seconds: float) -> Range:
        """The time range that ends now."""
        return Range(time.time() - seconds, time.time(), scrape_s=SCRAPE_S)


@pytest.fixture(scope="session")
def fleet(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two rounds of agents, and the captures of real ones, through a collector as collector-config/ has it."""
    folder = tmp_path_factory.mktemp("fleet")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE fleet")
    options = ("--debounce-s", "0.1", "--retention-days", "0")
    with ExitStack() as stack:
        processor = Processor(*options, db=postgres.url("fleet"), log=folder / "processor.log")
        stack.callback(processor.kill)
        nobody = f"127.0.0.1:{free_port()}"
        env = {"AGENT_OTEL_PROCESSOR": processor.http, "OTELCOL_BACKEND": nobody}
        collector = Configured(folder / "collector", "local.yaml", env=env)
        stack.callback(collector.program.kill)
        targets = {"agents": collector.prometheus, "agent-otel": urlsplit(processor.http).netloc}
        prometheus = Prometheus(folder / "prometheus", targets)
        stack.callback(prometheus.program.kill)
        items = {item.digest for case in CASES for item in items_of(case)}
        for path, body in captures():
            send(collector.http + path, body)
        agents = stack.enter_context(closing(Agents(folder / "work", collector.http)))
        spans, _ = agents.work()
        known(prometheus, spans=spans, runs=RUNS)
        again_s = time.time()
        spans, logs = agents.work()
        known(prometheus, spans=spans, runs=2 * RUNS)
        sent = len(items) + spans + logs
        regress(settled(processor.db, prometheus, sent), processor.http)
        yield Fleet(processor.db, prometheus, settled(processor.db, prometheus, sent + 1), again_s)


def regress(records: Rows, http: str) -> None:
    """CI fails what a run had proved, on the very tree that it left."""
    proved = next(each for each in records if each["review_state"] == "done" and each["agent"].get("name") == "careful")
    added = [*["evidence", "add"], proved["run_id"], "--endpoint", http, *["--check", "unit", "--exit-code", "1"]]
    whence = [*["--source", "ci", "--by", "nightly", "--tree"], proved["final"]["tree"]]
    subprocess.run([sys.executable, "-m", "agent_otel", *added, *whence], check=True, stdout=subprocess.DEVNULL)


def captures() -> Iterator[tuple[str, bytes]]:
    """What real agents sent: where to, and the body of each request."""
    for case in CASES:
        for file in sorted(case.glob("*.jsonl.gz")):
            for line in gzip.decompress(file.read_bytes()).splitlines():
                yield SIGNALS[file.name.split(".")[0]], line


def send(url: str, body: bytes) -> None:
    """Sends a body of OTLP/JSON."""
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:
        assert answer.status == 200


def known(prometheus: Prometheus, *, spans: int, runs: int) -> None:
    """Waits until Prometheus has seen the agents' spans, and what they measured, for two scrapes."""
    counted = 'sum(min_over_time(traces_span_metrics_calls_total{service_name="agents"}[2500ms]))'
    ended = "sum(min_over_time(gen_ai_invoke_agent_duration_seconds_count[2500ms]))"
    wait_until(lambda: set(prometheus.values(counted).values()) == {spans}, timeout_s=120, what=f"{spans} spans")
    wait_until(lambda: set(prometheus.values(ended).values()) == {runs}, timeout_s=120, what=f"{runs} runs")


def settled(db: str, prometheus: Prometheus, items: int) -> Rows:
    """The records, as soon as all that was sent is in them."""
    # What the processor was sent: its store may hold more, of its own making.
    stored = "sum(agent_otel_processor_items_stored_total)"
    wait_until(lambda: set(prometheus.values(stored).values()) == {items}, timeout_s=120, what=f"{items} items")
    with closing(open_store(db)) as store:
        wait_until(lambda: store.stats().due == 0, timeout_s=120, what="folding")
        return [to_builtins(record) for record in store.records(RecordQuery(limit=1_000))]


@pytest.fixture(scope="session")
def sql(fleet: Fleet) -> Callable[[str], Rows]:
    """Asks the database, as a reader with no more rights than the README gives."""
    readme = Path(__file__).resolve().parents[2] / "README.md"
    block = readme.read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0]
    grants, _ = block.rsplit("\n\n", 1)

    def rows(statement: str) -> Rows:
        with psycopg.connect(fleet.db, row_factory=psycopg.rows.dict_row) as connection:
            for each in ("CREATE ROLE grafana", grants, "SET ROLE grafana"):
                connection.execute(each)
            found = connection.execute(statement).fetchall()
            connection.rollback()  # the role was made for this question alone
            return found

    return rows


@pytest.fixture(scope="session")
def choose(fleet: Fleet, sql) -> Callable[..., Range]:
    """A time range with the variables of a dashboard, all values of each unless told otherwise."""

    def chosen(dashboard, range_: Range, **given: list[str]) -> Range:
        found: dict[str, Any] = {}
        for variable in dashboard.variables:
            if variable["type"] == "query":
                found[variable["name"]] = variable.get("allValue") or options(variable, range_)
        boastful = next(each["run_id"] for each in fleet.records if each["agent"].get("name") == "boastful")
        return replace(range_, variables={"run_id": [boastful], **found, **given})

    def options(variable, range_: Range) -> list[str]:
        """What can be chosen."""
        return [next(iter(row.values())) for row in sql(range_.sql(variable["query"]))]

    return chosen
