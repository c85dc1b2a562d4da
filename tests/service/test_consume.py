"""Reading from Kafka: a real broker, the real collector's exporter, consumers that are killed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import urlsplit
from urllib.request import urlopen

import agent_spans
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from senders import Senders

from agent_otel.errors import SettingsError
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.kafka import properties
from agent_otel.service.settings import ConsumerSettings
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from real.collector import Collector
from real.documents import documents, documents_of
from real.kafka_broker import Kafka
from real.ports import wait_until
from real.processor import Processor


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    """A broker for all tests of this module."""
    broker = Kafka(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.stop()


@pytest.fixture
def topic(kafka, request):
    """A topic of this test's own."""
    name = request.node.name.replace("[", "-").replace("]", "")
    kafka.create(name)
    return name


@pytest.fixture
def consume(kafka, topic, tmp_path):
    """Starts consumers of the topic on one database; all are ended after the test."""
    started = []

    def start(*arguments):
        options = ["--kafka", kafka.brokers, "--traces-topic", topic, "--logs-topic", "off", "--metrics-topic", "off"]
        log = tmp_path / f"consumer-{len(started)}.log"
        db = str(tmp_path / "runs.db")
        # Brokers wait this long for a consumer that was killed.
        config = tmp_path / "kafka.properties"
        config.write_text("# quick for a test\nsession.timeout.ms=6000\n\n")
        started.append(
            Processor(
                *options, "--group", topic, "--kafka-config", str(config), *arguments, db=db, log=log, command="consume"
            )
        )
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


def bodies(*, runs=40, spans=25):
    """One request for each half of a run, as ``partition_traces_by_id`` makes them."""
    for run in range(runs):
        made = [agent_spans.span(run, number, spans=spans, size=400) for number in range(spans)]
        yield agent_spans.request(made[: spans // 2])
        yield agent_spans.request(made[spans // 2 :])


def produce(kafka, topic, values):
    """Writes messages, and waits until the broker has them."""
    producer = Producer({"bootstrap.servers": kafka.brokers})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(60) == 0


def held(db):
    """The documents in the store, revision aside."""
    with closing(open_store(db)) as store:
        return documents(store.records(RecordQuery(limit=10_000)))


def committed(kafka, topic):
    """How many messages of the topic the group of the same name is done with."""
    with closing(Consumer({"bootstrap.servers": kafka.brokers, "group.id": topic})) as consumer:
        places = consumer.committed([TopicPartition(topic, number) for number in range(4)], timeout=30)
    return sum(max(place.offset, 0) for place in places)


def test_what_the_collector_writes_becomes_records(kafka, topic, consume, tmp_path):
    """Spans go by OTLP to the collector, by its exporter to Kafka, and come out as the records they make."""
    exporter = {
        "brokers": [kafka.brokers],
        "traces": {"topic": topic, "encoding": "otlp_proto"},
        "partition_traces_by_id": True,
    }
    collector = Collector(tmp_path, {"traces": ["kafka"]}, exporters={"kafka": exporter})
    values = list(agent_spans.requests(runs=20, spans=30, size=400))
    where = urlsplit(collector.http)
    senders = Senders((where.hostname, where.port), iter(enumerate(values)), connections=2)
    senders.start()
    senders.join()
    consumer = consume()
    wanted = documents_of(values)
    wait_until(lambda: held(consumer.db) == wanted, timeout_s=60, what=consumer.log())
    assert collector.stop() == 0
    assert consumer.stop() == 0, consumer.log()


def test_a_killed_consumer_loses_nothing(kafka, topic, consume):
    """The one that takes over reads again what was not committed: nothing is lost, and the documents are the same."""
    values = list(bodies(runs=400))
    produce(kafka, topic, values[:400])
    first = consume("--workers", "0")
    wait_until(lambda: _items(first.db) > 0, timeout_s=60, what=first.log())
    first.kill()
    produce(kafka, topic, values[400:])
    second = consume()
    wanted = documents_of(values)
    wait_until(lambda: held(second.db) == wanted, timeout_s=90, what=second.log())
    wait_until(lambda: committed(kafka, topic) == len(values))
    assert second.stop() == 0, second.log()


def test_consumers_share_the_work(kafka, topic, consume):
    """Two of a group read all there is between them, through the rebalance when the second comes."""
    values = list(bodies(runs=100))
    first = consume("--workers", "0")
    produce(kafka, topic, values[:50])
    second = consume()
    produce(kafka, topic, values[50:])
    wanted = documents_of(values)
    wait_until(lambda: held(second.db) == wanted, timeout_s=90, what=second.log())
    assert [first.stop(), second.stop()] == [0, 0]


def test_a_message_that_is_none_is_skipped_and_told(kafka, topic, consume):
    """Rubbish costs itself alone; the log says where it lies, and not what it is."""
    values = list(bodies(runs=2))
    produce(kafka, topic, [values[0], b"rubbish of somebody", *values[1:]])
    consumer = consume("--http", "127.0.0.1:0")
    wanted = documents_of(values)
    wait_until(lambda: held(consumer.db) == wanted, timeout_s=60, what=consumer.log())
    wait_until(lambda: committed(kafka, topic) == len(values) + 1)
    with urlopen(f"{consumer.http}/metrics", timeout=10) as page:
        said = page.read().decode()
    assert 'agent_otel_processor_requests_total{signal="span",status="400",transport="kafka"} 1.0' in said
    assert "a message is skipped" in consumer.log()
    assert '"offset"' in consumer.log()
    assert "somebody" not in consumer.log()


def test_a_store_that_refuses_is_waited_for(kafka, topic, consume):
    """While the database is locked nothing is committed, and afterwards everything is kept."""
    values = list(bodies(runs=5))
    consumer = consume("--workers", "0")
    with closing(sqlite3.connect(consumer.db, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        produce(kafka, topic, values)
        wait_until(lambda: "reading waits for the store" in consumer.log(), timeout_s=60, what=consumer.log())
        assert committed(kafka, topic) == 0
        lock.execute("ROLLBACK")
    spans = sum(len(items_from_protobuf(value, "span").items) for value in values)
    wait_until(lambda: _items(consumer.db) == spans, timeout_s=60, what=consumer.log())
    wait_until(lambda: committed(kafka, topic) == len(values))
    assert consumer.stop() == 0, consumer.log()


def _items(db):
    with closing(open_store(db)) as store:
        return store.stats().items


def test_the_file_of_the_client_has_its_own_rules(tmp_path):
    """One setting a line; what decides about loss is not for the file to set."""
    file = tmp_path / "kafka.properties"
    file.write_text("# TLS\nsecurity.protocol = SSL\n\nssl.ca.location=/ca.pem\n")
    assert properties(file) == {"security.protocol": "SSL", "ssl.ca.location": "/ca.pem"}
    for wrong, said in (
        ("enable.auto.commit=true", "1: enable.auto.commit is not for this file to set"),
        ("group.id=x", "1: group.id is not for this file to set"),
        ("what is this", "1: expected key=value"),
    ):
        file.write_text(wrong)
        with pytest.raises(SettingsError, match=said):
            properties(file)
    with pytest.raises(SettingsError, match="cannot read"):
        properties(tmp_path / "none")


def test_there_must_be_a_topic():
    """A consumer of nothing is a mistake."""
    with pytest.raises(SettingsError, match="all topics are off"):
        ConsumerSettings(traces_topic="off", logs_topic="off", metrics_topic="off")
