"""What SQLite's tables say twice stays equal, whatever is done in whatever order."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings, strategies as st

from agent_otel.store.base import Claim, Folded
from agent_otel.store.sqlite import SqliteStore

LINKS = st.lists(st.sampled_from([f"link:{name}" for name in "abcdef"]), min_size=1, max_size=2, unique=True)
PUT = st.tuples(st.just("put"), st.lists(st.tuples(st.integers(0, 9), LINKS), max_size=5))
STEPS = st.lists(
    st.one_of(
        PUT,
        st.tuples(st.just("fold"), st.lists(st.sampled_from(["r1", "r2", "r3"]), max_size=2, unique=True)),
        st.tuples(st.just("claim"), st.integers(1, 3)),
        st.tuples(st.just("expire"), st.integers(1, 4)),
        st.tuples(st.just("emit"), st.integers(1, 2)),
        st.tuples(st.just("refold"), st.none()),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_counts_and_references_stay_true(item, record, sound, steps):
    """Items, groups, resources and records are counted as they change, and nothing refers to what is gone."""
    clock = itertools.count(1_000).__next__
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        with closing(SqliteStore(path, clock=clock)) as store:
            for step, asked in steps:
                if step == "put":
                    store.put(
                        [item(f"k{number}", *sorted(links), resource=links[0].encode()) for number, links in asked]
                    )
                elif step == "fold":
                    rules = {"r1": ("stale",), "r2": (), "r3": ("stale", "rare")}
                    for at, group in enumerate(store.due(now_ns=clock())):
                        made = [record(run, rules=rules[run], outcome="failed" if at else "ended") for run in asked]
                        store.save([Folded(group=group, sequence=store.items(group).sequence, records=made)])
                elif step == "claim":
                    store.claim(Claim(limit=asked), now_ns=clock())
                elif step == "expire":
                    store.expire(before_ns=clock(), limit=asked)
                elif step == "emit":
                    store.mark_emitted(store.unemitted(limit=asked))
                else:
                    store.refold()
            stats = store.stats()
            assert len(store.due(now_ns=clock())) == stats.due
            assert sum(stats.records.values()) == len(store.records())
        sound(path)
