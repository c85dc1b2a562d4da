"""A history in a store, as it comes to be there: received, folded, and what others say added by their commands."""

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
from history.plan import Run

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


def add_later(runs: Iterable[Run], database: str) -> None:
    """Adds what others say of the runs after they have ended: CI by its command, and reviewers by theirs."""
    said = [run for run in runs if run.late or run.caught or run.redo_of]
    with closing(open_store(database)) as store:
        known = {run.run_id: store.record(run.run_id) for run in said}
    for run in said:
        record = known[run.run_id]
        assert record is not None
        if run.late is not None:
            came = ("--exit-code", str(run.late.exit_code), "--by", "ci", "--at", run.after(run.late.hours))
            tree = ("--tree", record.final.tree or "")
            _tell("evidence", "add", run.run_id, "--check", run.late.check, *came, *tree, "--db", database)
        if run.caught is not None:
            saw = ("--caught-by", run.caught.by, "--what", run.caught.what, "--at", run.after(run.caught.hours))
            files = ("--file", run.caught.file) if run.caught.file else ()
            _tell("near-miss", run.run_id, *saw, *files, "--db", database)
        if run.redo_of:
            _tell("redo", run.run_id, "--of", run.redo_of, "--db", database)
    keep([], database)


def _tell(*arguments: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
