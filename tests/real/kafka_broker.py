"""A real Apache Kafka as a process: broker and controller in one (KRaft), on free loopback ports."""

from __future__ import annotations

import base64
import signal
import subprocess
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from real.cached import built, kafka
from real.ports import free_port, listens, wait_until

PARTITIONS: Final = 4
"""Of each topic."""

_COMING_BACK: Final = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
_JAVA: Final = ("java", "-Xmx512m", "-cp")


class Kafka:
    """A broker that runs until it is stopped; ``brokers`` is where it is reached.

    Args:
        folder: for its data and log.
    """

    def __init__(self, folder: Path) -> None:
        self._port, controller = free_port(), free_port()
        self.brokers = f"127.0.0.1:{self._port}"
        self._log = folder / "kafka.log"
        config = folder / "server.properties"
        config.write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n"
            f"listeners=PLAINTEXT://{self.brokers},CONTROLLER://127.0.0.1:{controller}\n"
            f"advertised.listeners=PLAINTEXT://{self.brokers}\nlog.dirs={folder / 'data'}\n"
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"
            "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n"
            "transaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\nauto.create.topics.enable=false\n"
        )
        self._command = [*_JAVA, f"{built(kafka())}/*"]
        self._config = config
        self._run("kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", config).wait(60)
        self.start()

    def start(self) -> None:
        """Starts it on its ports, with what it has, and waits until it answers."""
        self.process = self._run("kafka.Kafka", self._config)
        wait_until(lambda: self.process.poll() is not None or listens(self._port), timeout_s=60, what="Kafka")
        assert self.process.poll() is None, self._log.read_text(errors="replace")

    def create(self, *topics: str) -> None:
        """Makes topics."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        made = admin.create_topics([NewTopic(topic, num_partitions=PARTITIONS) for topic in topics])
        for each in made.values():
            each.result(60)

    def produce(self, topic: str, values: Iterable[bytes]) -> None:
        """Writes messages, to one partition after the other, and waits until the broker has them."""
        producer = Producer({"bootstrap.servers": self.brokers})
        for number, value in enumerate(values):
            producer.produce(topic, value, partition=number % PARTITIONS)
        assert producer.flush(60) == 0

    def committed(self, topic: str) -> int:
        """How many messages of a topic the group of the same name is done with."""
        found: list[TopicPartition] = []
        wait_until(lambda: found.extend(self._offsets(topic)) or found, what="the group's coordinator")
        return sum(max(place.offset, 0) for place in found)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Connections stay open, and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it at once, and with it the requests that it has not read."""
        self.process.kill()
        self.process.wait(60)

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(60)

    def _offsets(self, topic: str) -> list[TopicPartition]:
        """The offsets of each partition; none while the broker still reads what it had committed before it went."""
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        with closing(Consumer({"bootstrap.servers": self.brokers, "group.id": topic})) as consumer:
            try:
                return list(consumer.committed(places, timeout=30))
            except KafkaException as exc:
                if exc.args[0].code() not in _COMING_BACK:
                    raise
                return []

    def _run(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen([*self._command, *arguments], stdout=log, stderr=log)


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
