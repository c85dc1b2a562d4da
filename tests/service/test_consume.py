"""Reading from Kafka: a real broker, the real collector's exporter, consumers that are killed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import urlsplit
from urllib.request import urlopen

import agent_spans
import pytest
from senders import Senders

from agent_otel.errors import SettingsError
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.kafka import properties
from agent_otel.service.settings import ConsumerSettings
from real.collector import Collector
from real.documents import documents_in, documents_of, items_in
from real.ports import wait_until


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
    wait_until(lambda: documents_in(consumer.db) == wanted, timeout_s=60, what=consumer.log())
    assert collector.stop() == 0
    assert consumer.stop() == 0, consumer.log()


def test_a_killed_consumer_loses_nothing(kafka, topic, consume):
    """The one that takes over reads again what was not committed: nothing is lost, and the documents are the same."""
    values = list(agent_spans.halves(runs=400))
    kafka.produce(topic, values[:400])
    first = consume("--workers", "0")
    wait_until(lambda: items_in(first.db) > 0, timeout_s=60, what=first.log())
    first.kill()
    kafka.produce(topic, values[400:])
    second = consume()
    wanted = documents_of(values)
    wait_until(lambda: documents_in(second.db) == wanted, timeout_s=90, what=second.log())
    wait_until(lambda: kafka.committed(topic) == len(values))
    assert second.stop() == 0, second.log()


def test_consumers_share_the_work(kafka, topic, consume):
    """Two of a group read all there is between them, through the rebalance when the second comes."""
    values = list(agent_spans.halves(runs=100))
    first = consume("--workers", "0")
    kafka.produce(topic, values[:50])
    second = consume()
    kafka.produce(topic, values[50:])
    wanted = documents_of(values)
    wait_until(lambda: documents_in(second.db) == wanted, timeout_s=90, what=second.log())
    assert [first.stop(), second.stop()] == [0, 0]


def test_a_topic_may_come_after_the_consumer(kafka, topic, consume):
    """A consumer that was there before one of its topics reads it soon after it was created, without a restart."""
    late = f"{topic}-traces"
    consumer = consume("--logs-topic", topic, "--traces-topic", late)
    wait_until(lambda: "Subscribed topic not available" in consumer.log(), timeout_s=60, what=consumer.log())
    kafka.create(late)
    values = list(agent_spans.halves(runs=2))
    kafka.produce(late, values)
    wanted = documents_of(values)
    wait_until(lambda: documents_in(consumer.db) == wanted, timeout_s=120, what=consumer.log())


def test_a_message_that_is_none_is_skipped_and_told(kafka, topic, consume):
    """Rubbish costs itself alone; the log says where it lies, and not what it is."""
    values = list(agent_spans.halves(runs=2))
    kafka.produce(topic, [values[0], b"rubbish of somebody", *values[1:]])
    consumer = consume("--http", "127.0.0.1:0")
    wanted = documents_of(values)
    wait_until(lambda: documents_in(consumer.db) == wanted, timeout_s=60, what=consumer.log())
    wait_until(lambda: kafka.committed(topic) == len(values) + 1)
    with urlopen(f"{consumer.http}/metrics", timeout=10) as page:
        said = page.read().decode()
    assert 'agent_otel_processor_requests_total{signal="span",status="400",transport="kafka"} 1.0' in said
    assert "a message is skipped" in consumer.log()
    assert '"offset"' in consumer.log()
    assert "somebody" not in consumer.log()


def test_a_store_that_refuses_is_waited_for(kafka, topic, consume):
    """While the database is locked nothing is committed, and afterwards everything is kept."""
    values = list(agent_spans.halves(runs=5))
    consumer = consume("--workers", "0")
    with closing(sqlite3.connect(consumer.db, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        kafka.produce(topic, values)
        wait_until(lambda: "reading waits for the store" in consumer.log(), timeout_s=60, what=consumer.log())
        assert kafka.committed(topic) == 0
        lock.execute("ROLLBACK")
    spans = sum(len(items_from_protobuf(value, "span").items) for value in values)
    wait_until(lambda: items_in(consumer.db) == spans, timeout_s=60, what=consumer.log())
    wait_until(lambda: kafka.committed(topic) == len(values))
    assert consumer.stop() == 0, consumer.log()


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
