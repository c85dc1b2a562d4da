"""``agent-otel recompact``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from agent_otel.cli.console import print_json
from agent_otel.cli.database import chosen_policy, database_option, existing_store
from agent_otel.cli.moments import Moment
from agent_otel.cli.options import setting_options
from agent_otel.cli.records import ALL, StoreRecords
from agent_otel.review.wording import count
from agent_otel.service.fold import fold_due
from agent_otel.service.settings import FoldSettings
from agent_otel.store.base import RecordQuery, Store


@click.command
@database_option
@click.option("--since", type=Moment(), help="Only runs started since: 7d, 12h, or a date in UTC.")
@setting_options(FoldSettings)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def recompact(*, database: str | None, since: str | None, abandoned_after_s: float | None, as_json: bool) -> None:
    """Fold the stored telemetry again, for instance after an upgrade that understands more of it.

    A record whose content changes gets its next revision. Runs whose telemetry has expired stay as they are. Safe
    beside a running processor.
    """
    policy = chosen_policy(abandoned_after_s)
    with existing_store(database, policy=policy) as store:
        before = _revisions(store, since or "")
        groups = store.refold(since=since or "")
        with _progress(groups) as folded:
            fold_due(store, now_ns=time.time_ns(), policy=policy, folded=folded)
        after = _revisions(store, since or "")
    changed = sum(before.get(run_id) != revision for run_id, revision in after.items())
    if as_json:
        print_json({"groups": groups, "records": len(after), "changed": changed})
    else:
        click.echo(f"folded {count(groups, 'group')} again: {changed} of {count(len(after), 'record')} changed")


def _revisions(store: Store, since: str) -> dict[str, int]:
    query = RecordQuery(since=since, limit=ALL)
    return {record.run_id: record.revision for record in StoreRecords(store).records(query)}


@contextmanager
def _progress(groups: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=groups, label="folding", file=sys.stderr) as bar:
        yield bar.update
