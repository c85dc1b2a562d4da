"""Several processors on one PostgreSQL: whoever takes which item, the records are those of one alone."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.model.record import encode
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.fold import fold_groups
from agent_otel.store.base import Claim, RecordQuery
from agent_otel.store.postgres.store import PostgresStore
from agent_otel.store.sqlite import SqliteStore

SCRIPT = Path(__file__).with_name("postgres_process.py")
PATIENCE_S = 120


def span(session, trace, number, **attributes):
    """A span of one of the traces of a session; the later ones say which session that is."""
    made = Span(
        trace_id=(session * 100 + trace + 1).to_bytes(16, "big"),
        span_id=(number + 1).to_bytes(8, "big"),
        parent_span_id=b"" if number == 0 else (1).to_bytes(8, "big"),
        name="execute_tool run" if number else "invoke_agent fixer",
        start_time_unix_nano=1_779_095_523_000_000_000 + session * 10**12 + trace * 10**10 + number * 10**6,
        end_time_unix_nano=1_779_095_523_000_000_000 + session * 10**12 + trace * 10**10 + number * 10**6 + 999,
    )
    said = {names.OPERATION_NAME: "execute_tool" if number else "invoke_agent", names.AGENT_NAME: "fixer", **attributes}
    if number:
        said[names.TOOL_NAME] = "run"
    if number == 3:
        said[names.CONVERSATION_ID] = f"session {session}"
    made.attributes.extend(KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in said.items())
    return made


@pytest.fixture(scope="module")
def items():
    """Items of 20 sessions of 4 traces each; that the traces belong together shows in one span of each."""
    spans = [span(session, trace, number) for session in range(20) for trace in range(4) for number in range(5)]
    block = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    return items_from_protobuf(ExportTraceServiceRequest(resource_spans=[block]).SerializeToString(), "span").items


@pytest.fixture(scope="module")
def expected(items):
    """The documents that one process makes of these items in SQLite."""
    return documents(fold_groups(items, policy=Policy()))


def documents(records):
    """The records as bytes, by run; how often they were written on the way is nobody's concern."""
    return sorted(encode(msgspec.structs.replace(record, revision=1)) for record in records)


@pytest.fixture
def start(tmp_path, postgres_url):
    """Starts a processor with its share of the items."""
    started = []

    def run(share, *, seed, lease_s=60.0):
        path = tmp_path / f"items-{seed}"
        path.write_bytes(msgspec.msgpack.encode(share))
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), postgres_url, str(path), str(seed), str(lease_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(process, line):
    """What the process says up to this line."""
    said = []
    for each in process.stdout:
        if each.rstrip() == line:
            return said
        said.append(each.split())
    pytest.fail(f"the process ended after {said[-3:]}")


def until_nothing_is_due(store):
    """Waits until others have folded everything."""
    ends_s = time.monotonic() + PATIENCE_S
    while store.due(now_ns=time.time_ns()):
        assert time.monotonic() < ends_s
        threading.Event().wait(0.05)


def halves(items, seed):
    """Two random shares that have a third of the items in common."""
    chance = random.Random(seed)
    marks = [chance.choice(("one", "other", "both")) for _ in items]
    return [
        [item for item, mark in zip(items, marks, strict=True) if mark in {name, "both"}] for name in ("one", "other")
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_processors_make_the_records_of_one(start, postgres_url, items, expected, seed):
    """Half of the items each, in any order and repeated, joined to sessions late: byte for byte the same documents."""
    processes = [start(share, seed=10 * seed + number) for number, share in enumerate(halves(items, seed))]
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda process: until(process, "all"), processes))
    with closing(PostgresStore(postgres_url)) as store:
        until_nothing_is_due(store)
        for number, process in enumerate(processes):
            rest, _ = process.communicate("stop\n", timeout=PATIENCE_S)
            said[number] += [line.split() for line in rest.splitlines()]
            assert process.returncode == 0
        assert documents(store.records(RecordQuery(limit=1000))) == expected
        stats = store.stats()
        assert (stats.items, stats.groups, stats.due) == (len(items), 20, 0)
        assert stats.items + stats.duplicates == sum(line[0] == "put" for lines in said for line in lines)


def test_no_group_is_folded_by_two_at_once(start, postgres_url, items):
    """Whoever has claimed one has it for himself, however often it becomes due and whatever is put meanwhile."""
    with closing(PostgresStore(postgres_url)) as store, ThreadPoolExecutor(2) as pool:
        store.put(items)  # all there is, so that no groups merge: that would end claims
        processes = [start(items, seed=seed) for seed in (1, 2)]
        said = [pool.submit(process.stdout.readlines) for process in processes]
        for _ in range(12):
            until_nothing_is_due(store)
            store.refold()
        until_nothing_is_due(store)
        for process in processes:
            process.stdin.write("stop\n")
            process.stdin.flush()
            assert process.wait(PATIENCE_S) == 0
    folded = [
        (number, line.split())
        for number, lines in enumerate(said)
        for line in lines.result()
        if line.startswith("folded")
    ]
    assert len(folded) >= 12 * 20
    assert {number for number, _ in folded} == {0, 1}
    assert overlaps(folded) == []


def overlaps(folded):
    """The groups that two processes had at once."""
    times = defaultdict(list)
    for number, (_, group, begun, ended) in folded:
        times[group].append((int(begun), int(ended), number))
    found = []
    for group, spans in times.items():
        spans.sort()
        found += [group for one, other in pairwise(spans) if other[0] < one[1] and one[2] != other[2]]
    return found


def test_what_a_killed_processor_had_is_done_by_another(start, postgres_url, items, expected):
    """SIGKILL again and again, wherever it was: what was acknowledged is there, and the rest comes from the senders."""
    chance = random.Random(20261121)
    acknowledged = set()
    for seed in range(4):
        process = start(items, seed=seed, lease_s=0.2)
        for _ in range(chance.randrange(20, 400)):
            acknowledged.update(line[1] for line in [process.stdout.readline().split()] if line[0] == "put")
        process.kill()
        acknowledged.update(line.split()[1] for line in process.stdout if line.startswith("put"))
    with psycopg.connect(postgres_url) as connection:
        stored = {key for (key,) in connection.execute("SELECT key FROM agent_otel.items")}
        (orphans,) = connection.execute(
            "SELECT count(*) FROM agent_otel.items LEFT JOIN agent_otel.links ON links.id = link_id"
            " LEFT JOIN agent_otel.groups ON groups.id = group_id WHERE groups.id IS NULL"
        ).fetchone()
    assert acknowledged
    assert acknowledged <= stored
    assert orphans == 0
    survivor = start(items, seed=99, lease_s=0.2)
    until(survivor, "all")
    with closing(PostgresStore(postgres_url)) as store:
        until_nothing_is_due(store)
        survivor.communicate("stop\n", timeout=PATIENCE_S)
        assert survivor.returncode == 0
        assert documents(store.records(RecordQuery(limit=1000))) == expected
        assert store.stats().items == len(items)


def test_threads_that_put_the_same_items_at_once_agree(postgres_url, items):
    """Each item is stored once, whoever of eight was first, and no group is split."""
    with closing(PostgresStore(postgres_url)) as store:

        def put(seed):
            chance = random.Random(seed)
            mixed = chance.sample(list(items), len(items))
            return [store.put(mixed[start : start + 20]) for start in range(0, len(mixed), 20)]

        with ThreadPoolExecutor(8) as pool:
            results = [result for found in pool.map(put, range(8)) for result in found]
        assert sum(result.stored for result in results) == len(items)
        assert sum(result.duplicates for result in results) == 7 * len(items)
        groups = store.due(now_ns=2**62)
        assert sorted(store.items(group).total for group in groups) == [20] * 20
        assert (store.stats().items, store.stats().duplicates) == (len(items), 7 * len(items))


def test_threads_that_claim_at_once_share_the_groups(postgres_url, items):
    """Nobody gets what another one has, and nothing is left over."""
    with closing(PostgresStore(postgres_url)) as store:
        store.put(items)
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _: store.claim(Claim(limit=3), now_ns=2**61), range(40)))
        claimed = [group for groups in taken for group in groups]
        assert sorted(claimed) == sorted(store.due(now_ns=2**61))


def test_a_group_that_is_always_busy_has_its_turn(postgres_url, item):
    """Who claims waits for those who put to it, where nothing else is due."""
    with closing(PostgresStore(postgres_url)) as store, psycopg.connect(postgres_url) as busy:
        store.put([item("a")])
        busy.execute("SELECT 1 FROM agent_otel.groups FOR UPDATE")
        with ThreadPoolExecutor(1) as pool:
            claimed = pool.submit(store.claim, Claim(), now_ns=2**61)
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            ends_s = time.monotonic() + PATIENCE_S
            while busy.execute(waiting).fetchone() == (0,):
                assert time.monotonic() < ends_s
            busy.rollback()
            assert claimed.result() == store.due(now_ns=2**61)


links = st.lists(st.sampled_from([f"link:{name}" for name in "abcdefgh"]), min_size=1, max_size=3, unique=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.lists(links, max_size=10))
def test_order_repetition_and_partition_leave_the_same_groups(postgres_emptied, item, data, found):
    """However items are shuffled, repeated and cut into deliveries, the groups are those of SQLite."""
    items = [item(f"item-{number}", *each) for number, each in enumerate(found)]
    mixed = data.draw(st.permutations(items + data.draw(st.lists(st.sampled_from(items), max_size=5)) if items else []))
    with psycopg.connect(postgres_emptied) as connection:
        connection.execute("TRUNCATE agent_otel.groups, agent_otel.links, agent_otel.items, agent_otel.counters")
    with closing(PostgresStore(postgres_emptied)) as store, closing(SqliteStore(None)) as model:
        while mixed:
            size = data.draw(st.integers(1, len(mixed)))
            assert store.put(mixed[:size]) == model.put(mixed[:size])
            del mixed[:size]
        assert {frozenset(store.items(group).items) for group in store.due(now_ns=2**62)} == {
            frozenset(model.items(group).items) for group in model.due(now_ns=2**62)
        }
        assert store.stats() == model.stats()
