"""Groups that are larger than what one statement reads, and folds that meet in the middle."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product

import psycopg
import pytest

from agent_otel.errors import StoreError
from agent_otel.store.base import Folded, item_cursor
from agent_otel.store.postgres.database import Moved
from agent_otel.store.postgres.saving import Saving
from agent_otel.store.postgres.store import PostgresStore
from agent_otel.store.sqlite import SqliteStore
from real.ports import wait_until

PATIENCE_S = 60
COUNT = 450
GIANT = 10_000


@pytest.fixture(params=[3, 90])
def both(request, postgres_emptied, clock, item, record):
    """Both kinds of store with the same large group: a session of few traces or many, many items at each time."""
    items = [
        item(
            f"k{number}",
            f"trace:{number % request.param}",
            "session.id:s",
            says="x" * (number % 50),
            time_ns=number // 7,
        )
        for number in range(COUNT)
    ]
    with (
        closing(PostgresStore(postgres_emptied, clock=clock)) as store,
        closing(SqliteStore(None, clock=clock)) as model,
    ):
        for each in (store, model):
            each.put(items)
            (group,) = each.due(now_ns=clock.now_ns)
            assert each.save([Folded(group=group, sequence=1, records=[record("r")])]) == [True]
        yield store, model


@pytest.mark.parametrize("latest", [False, True])
def test_any_part_of_a_large_group_is_what_sqlite_gives(both, latest):
    """However many pages it takes, from either end, and wherever it begins."""
    store, model = both
    whole = model.items(1).items
    assert len(whole) == COUNT
    for after, limit, most_bytes in product(
        (None, 10, 220, COUNT - 1), (None, 1, 200, 201, 400, 1000), (None, 1, 5_000, 10_000, 10**9)
    ):
        cursor = "" if after is None else item_cursor(whole[after])
        part = {"after": cursor, "limit": limit, "most_bytes": most_bytes}
        assert store.items(1, latest=latest, **part) == model.items(1, latest=latest, **part), part
        if limit is not None:
            assert store.run_items("r", **part) == model.run_items("r", **part), part


def test_a_page_of_a_giant_costs_no_more_than_another(postgres_emptied, clock, item):
    """Whatever the planner takes groups for, which are small nearly all: it reads on from where the page begins."""
    name = postgres_emptied.rpartition("/")[2]
    giant = [item(f"g{number}", "trace:giant", time_ns=number) for number in range(GIANT)]
    small = [item(f"s{number}", f"trace:{number}") for number in range(1_000)]
    with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
        store.put(small)
        store.put(giant)
    with psycopg.connect(postgres_emptied, autocommit=True) as watch:
        watch.execute("ANALYZE")
        # As statements are planned that are used often: without a look at what is asked for.
        watch.execute(f"ALTER DATABASE {name} SET plan_cache_mode = 'force_generic_plan'")
        before = fetched(watch)
        with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
            (group,) = (each for each in store.due(now_ns=2**62) if store.items(each, limit=1).total == GIANT)
            first, latest = (store.items(group, limit=100, latest=latest).items for latest in (False, True))
            then = store.items(group, limit=100, after=item_cursor(first[-1])).items
        assert [each.key for each in (*first, *then)] == [f"g{number}" for number in range(200)]
        assert latest[-1].key == f"g{GIANT - 1}"
        wait_until(lambda: fetched(watch) > before)  # what a connection did is counted when it ends
        assert fetched(watch) - before < GIANT


def test_a_page_of_many_traces_reads_but_those_that_begin_first(postgres_emptied, clock, item):
    """From either end: one item of each trace tells where it begins, and others only of those that are on the page."""
    traces, each = 200, 20
    items = [
        item(f"{trace}-{number}", f"trace:{trace}", "session.id:s", time_ns=trace * each + number)
        for trace in range(traces)
        for number in range(each)
    ]
    with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
        store.put(items)
    with psycopg.connect(postgres_emptied, autocommit=True) as watch:
        watch.execute("ANALYZE")
        before = fetched(watch)
        with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
            (group,) = store.due(now_ns=2**62)
            first, latest = (store.items(group, limit=30, latest=latest).items for latest in (False, True))
        keys = [one.key for one in items]
        assert [one.key for one in (*first, *latest)] == [*keys[:30], *keys[-30:]]
        wait_until(lambda: fetched(watch) > before)
        assert fetched(watch) - before < 2 * (traces + 2 * 30 * each)


def fetched(watch):
    """How many items were fetched from the database, ever."""
    watch.execute("SELECT pg_stat_clear_snapshot()")
    (count,) = watch.execute("SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'items'").fetchone()
    return count


def test_a_group_that_does_not_fit_into_what_may_still_be_removed_waits(postgres_emptied, clock, item):
    """Small groups go at once; a large one has the next turn, and then goes in parts."""
    with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
        for trace, count in enumerate((2, 5, 1)):
            store.put([item(f"{trace}-{number}", f"trace:{trace}") for number in range(count)])
            clock.pass_s(1)
        for group in store.due(now_ns=clock.now_ns):
            store.save([Folded(group=group, sequence=1, records=[])])
        assert [store.expire(before_ns=clock.now_ns, limit=4) for _ in range(4)] == [3, 4, 1, 0]
        assert (store.stats().items, store.stats().expired) == (0, 8)


def test_two_folds_of_one_new_run_at_once_are_found_out(postgres_emptied, item, record):
    """The slower one waits for the faster, sees that the groups belong together, and merges them."""
    with closing(PostgresStore(postgres_emptied)) as store, closing(PostgresStore(postgres_emptied)) as other:
        store.put([item("a"), item("b")])
        folds = [Folded(group=group, sequence=1, records=[record("r")]) for group in store.due(now_ns=2**62)]
        with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres_emptied, autocommit=True) as watch:
            with other._database.session() as session, session.transaction():
                saving = Saving(session, folds[:1], frozenset(), now_ns=1)
                assert saving.save(folds[0])
                saving.flush()
                slower = pool.submit(store.save, folds[1:])
                ends_s = time.monotonic() + PATIENCE_S
                while watch.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
                    assert time.monotonic() < ends_s
            assert slower.result() == [False]
        (group,) = store.due(now_ns=2**62)
        assert store.items(group).total == 2
        assert [found.run_id for found in store.records_of(group)] == ["r"]


def test_work_that_is_always_overtaken_ends(postgres_emptied):
    """With an error that a sender may retry."""

    def overtaken(_):
        raise Moved

    with closing(PostgresStore(postgres_emptied)) as store:
        with pytest.raises(StoreError, match="other processors changed the same groups 50 times in a row"):
            store._database.write(overtaken)
