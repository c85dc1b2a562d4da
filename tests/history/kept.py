"""A history in a store, as it comes to be there: received, folded, and CI's results added by their command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing

from click.testing import CliRunner

from agent_otel.cli.main import main
from agent_otel.compaction.policy import Policy
from agent_otel.model.item import Item
from agent_otel.otlp.lines import items_from_line
from agent_otel.service.fold import END_OF_TIME_NS, fold_due
from agent_otel.store.open import open_store
from history.plan import History, Run

_BATCH = 2000


def items_of(runs: Iterable[Run]) -> list[Item]:
    """What the runs send, as it is received."""
    return [item for run in runs for line in run.lines() for item in items_from_line(line.encode()).items]


def keep(items: Sequence[Item], database: str) -> None:
    """Puts the items into the database, in this order, and folds them: there is no more to come."""
    with closing(open_store(database)) as store:
        for start in range(0, len(items), _BATCH):
            store.put(items[start : start + _BATCH])
        fold_due(store, now_ns=END_OF_TIME_NS, policy=Policy())


def add_late(history: History, database: str) -> None:
    """Adds what CI says of the runs after they have ended."""
    with closing(open_store(database)) as store:
        known = {run.run_id: store.record(run.run_id) for run in history.runs if run.late}
    trees = {run_id: record.final.tree or "" for run_id, record in known.items() if record}
    for run in history.runs:
        if run.late is None or run.ci_at is None:
            continue
        said = ("--check", run.late.check, "--exit-code", str(run.late.exit_code), "--by", "ci")
        at = ("--at", f"{run.ci_at:%Y-%m-%dT%H:%M:%SZ}", "--tree", trees[run.run_id])
        added = CliRunner().invoke(main, ["evidence", "add", run.run_id, *said, *at, "--db", database])
        assert added.exit_code == 0, added.output
    keep([], database)
