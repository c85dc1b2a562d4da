"""``agent-otel redo``: said afterwards that a run did another one again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from agent_otel.compaction.policy import Policy
from agent_otel.service.fold import fold_due
from agent_otel.service.local import LocalReceiver
from agent_otel.store.open import open_store
from agent_otel.store.sqlite import SqliteStore

Invoke = Callable[..., Result]


@pytest.fixture
def runs(tmp_path: Path, invoke: Invoke, telemetry: Any, lines: Any) -> Path:
    """A database with two runs at two tasks, the second three hours after the first."""
    first = telemetry("run-1", objective="Fix the redirect")
    second = telemetry("run-2", number=2, objective="Another try", seconds=3 * 3600)
    (tmp_path / "in.jsonl").write_bytes(lines(first, second))
    assert invoke("compact", tmp_path / "in.jsonl", "--db", tmp_path / "runs.db").exit_code == 0
    return tmp_path / "runs.db"


def redo_of(invoke: Invoke, where: str | Path, run: str = "run-2") -> list[str]:
    """What the record says that the run did again."""
    found: list[str] = json.loads(invoke("show", run, "--json", "--db", where).stdout)["redo_of"]
    return found


def test_it_is_told_and_links_the_runs(runs: Path, invoke: Invoke) -> None:
    """Once, however often it is said; ``incidents`` takes both for attempts at one task."""
    Path("agent-otel.toml").write_text("[incidents]\nrecurrence = 9\n")
    incidents = ("incidents", "--since", "2026-05-01", "--db", runs)
    assert invoke(*incidents).exit_code == 0
    asked = ("redo", "last", "--of", "run-1", "--db", runs)
    result = invoke(*asked)
    assert (result.exit_code, result.stdout) == (0, "redo of run-1: added to run run-2\n"), result.stderr
    assert invoke(*asked).stdout == "redo of run-1: run run-2 has this word already\n"
    assert json.loads(invoke(*asked, "--json").stdout)["state"] == "known"
    assert redo_of(invoke, runs) == ["run-1"]
    assert "a redo of run run-1" in invoke("show", "run-2", "--db", runs).stdout
    found = invoke(*incidents)
    assert found.exit_code == 1
    assert "   runs: run-1, run-2\n" in found.stdout


def test_the_other_run_need_not_be_known(runs: Path, invoke: Invoke) -> None:
    """It may not have arrived; several may be named, in any order."""
    for of in ("run-9", "run-0"):
        assert invoke("redo", "run-2", "--of", of, "--db", runs).exit_code == 0
    assert redo_of(invoke, runs) == ["run-0", "run-9"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run-2", "--of", " "), 2, "expected words, got none"),
        (("run-2", "--of", "run-2"), 2, "no run is a redo of itself: run-2"),
        (("run-2",), 2, "Missing option '--of'"),
        (("run-7", "--of", "run-1"), 1, "no run 'run-7'"),
    ],
)
def test_what_cannot_be_said(runs: Path, invoke: Invoke, arguments: tuple[str, ...], status: int, message: str) -> None:
    """With the exit codes of misuse and failure."""
    result = invoke("redo", *arguments, "--db", runs)
    assert result.exit_code == status
    assert message in result.stderr.replace("\n", " ")


def test_it_is_sent_by_otlp(runs: Path, invoke: Invoke) -> None:
    """To a receiver that commits before it answers; there it is folded into the run."""
    with closing(SqliteStore(runs)) as store:
        receiver = LocalReceiver(store, tuple)
        try:
            result = invoke("redo", "run-2", "--of", "run-1", "--endpoint", receiver.endpoint)
        finally:
            receiver.close()
    assert (result.exit_code, result.stdout) == (0, "redo of run-1: sent for run run-2\n"), result.stderr
    assert redo_of(invoke, runs) == ["run-1"]


def test_postgresql_takes_it(runs: Path, invoke: Invoke, postgres_url: str) -> None:
    """And its processors fold it."""
    with closing(SqliteStore(runs)) as store, closing(open_store(postgres_url)) as copy:
        copy.put(store.run_items("run-2"))
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
        assert "its processors fold it" in invoke("redo", "run-2", "--of", "run-1", "--db", postgres_url).stdout
        fold_due(copy, now_ns=time.time_ns(), policy=Policy())
    assert redo_of(invoke, postgres_url) == ["run-1"]
