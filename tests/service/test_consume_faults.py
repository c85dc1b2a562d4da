"""Kafka, the database and the consumer go at the worst moment: nothing is lost, nothing is there twice."""

from __future__ import annotations

import time
from contextlib import closing
from urllib.request import urlopen

import agent_spans
import psycopg
import pytest
from confluent_kafka import Consumer

from agent_otel.store.open import open_store
from real.documents import documents_in, documents_of, items_in
from real.kafka_broker import PARTITIONS
from real.ports import wait_until
from real.postgres import PostgresServer

RUNS, SPANS = 20, 25
MESSAGES = 2 * RUNS
WAITING = "reading waits for the store"


@pytest.fixture(scope="module")
def server():
    """A database server that may be stopped, since nobody else uses it."""
    with closing(PostgresServer()) as started:
        yield started


@pytest.fixture
def db(server, topic):
    """A database of the test's own on that server."""
    name = topic[:60]
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url(name)


@pytest.fixture
def values():
    """The messages."""
    return list(agent_spans.halves(runs=RUNS, spans=SPANS))


@pytest.fixture
def waiting(kafka, topic, consume, server, db, values):
    """A consumer with all messages in hand, and no database to put them into."""
    consumer = consume("--workers", "0", db=db)
    server.stop()
    kafka.produce(topic, values)
    wait_until(lambda: WAITING in consumer.log(), what=consumer.log())
    yield consumer
    if not (server.folder / "data" / "postmaster.pid").exists():
        server.start()


def test_a_consumer_killed_between_both_commits_leaves_no_gap_and_no_double(
    kafka, topic, consume, server, values, waiting
):
    """What the database has and Kafka never heard of is read again, and counted as duplicates."""
    with kafka.silent():
        server.start()
        wait_until(lambda: items_in(waiting.db) > 0, what=waiting.log())
        stored = items_in(waiting.db)
        waiting.kill()
        kafka.kill()
    kafka.start()
    assert kafka.committed(topic) == 0
    consumer = consume(db=waiting.db)
    wanted = documents_of(values)
    wait_until(lambda: documents_in(waiting.db) == wanted, timeout_s=60, what=consumer.log())
    wait_until(lambda: kafka.committed(topic) == MESSAGES)
    with closing(open_store(waiting.db)) as store:
        stats = store.stats()
    assert (stats.items, stats.duplicates) == (RUNS * SPANS, stored)
    assert consumer.stop() == 0, consumer.log()


def test_partitions_that_are_given_up_while_the_store_is_away_are_not_committed(kafka, topic, server, waiting):
    """Another member takes half of them and reads nothing; they come back with every message."""
    group = {"bootstrap.servers": kafka.brokers, "group.id": topic, "partition.assignment.strategy": "range,roundrobin"}
    with closing(Consumer({**group, "enable.auto.commit": False, "auto.offset.reset": "earliest"})) as joining:
        joining.subscribe([topic])
        wait_until(lambda: [joining.poll(0.1)] and joining.assignment(), timeout_s=60, what=waiting.log())
        theirs = len(joining.assignment())
        assert theirs == PARTITIONS / 2
        assert kafka.committed(topic) == 0
        server.start()
        # What is still the consumer's goes on, and nothing else.
        wait_until(lambda: [joining.poll(0.1)] and kafka.committed(topic) == MESSAGES / 2, what=waiting.log())
        assert items_in(waiting.db) == RUNS * SPANS / 2
    wait_until(lambda: kafka.committed(topic) == MESSAGES, timeout_s=60, what=waiting.log())
    assert items_in(waiting.db) == RUNS * SPANS
    assert waiting.stop() == 0, waiting.log()


def test_a_consumer_told_to_end_without_a_store_leaves_its_batch_to_the_next(
    kafka, topic, consume, server, values, waiting
):
    """It ends in time, says that it did, and has committed nothing."""
    begun = time.monotonic()
    assert waiting.stop() == 0, waiting.log()
    assert time.monotonic() - begun < 10
    assert kafka.committed(topic) == 0
    server.start()
    consumer = consume(db=waiting.db)
    wanted = documents_of(values)
    wait_until(lambda: documents_in(waiting.db) == wanted, timeout_s=60, what=consumer.log())
    wait_until(lambda: kafka.committed(topic) == MESSAGES)
    assert consumer.stop() == 0, consumer.log()


def test_a_consumer_told_to_end_at_work_finishes_its_batch(kafka, topic, consume):
    """Each message is in the store and committed, or neither."""
    runs = 600
    values = list(agent_spans.halves(runs=runs, spans=2))
    first = consume("--workers", "0")
    kafka.produce(topic, values)
    wait_until(lambda: items_in(first.db) > 0, what=first.log())
    begun = time.monotonic()
    assert first.stop() == 0, first.log()
    assert time.monotonic() - begun < 10
    assert items_in(first.db) == kafka.committed(topic) > 0
    second = consume("--workers", "0")
    wait_until(lambda: items_in(second.db) == 2 * runs == kafka.committed(topic), what=second.log())
    with closing(open_store(second.db)) as store:
        assert store.stats().duplicates == 0
    assert second.stop() == 0, second.log()


def test_two_consumers_both_read(kafka, topic, consume):
    """Each has partitions of its own, and counts what it read."""
    consumers = [consume("--http", "127.0.0.1:0", "--workers", "0") for _ in range(2)]
    rounds = 0

    def both_read():
        nonlocal rounds
        kafka.produce(topic, agent_spans.halves(runs=RUNS, spans=SPANS))
        rounds += 1
        return all(read_by(each) for each in consumers)

    wait_until(both_read, timeout_s=60, what=consumers[1].log())
    wait_until(lambda: kafka.committed(topic) == rounds * MESSAGES, what=consumers[1].log())
    assert sum(map(read_by, consumers)) >= rounds * MESSAGES
    assert items_in(consumers[0].db) == RUNS * SPANS
    assert [each.stop() for each in consumers] == [0, 0]


def read_by(consumer):
    """How many messages this process has read, as it says itself."""
    with urlopen(f"{consumer.http}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    mine = [line for line in lines if line.startswith("agent_otel_processor_requests_total") and "kafka" in line]
    return sum(float(line.rpartition(" ")[2]) for line in mine)
