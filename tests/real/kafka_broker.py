"""A real Apache Kafka as a process: broker and controller in one (KRaft), on free loopback ports."""

from __future__ import annotations

import base64
import subprocess
import uuid
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient, NewTopic

from real.cached import built, kafka
from real.ports import free_port, listens, wait_until

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
        jars = [*_JAVA, f"{built(kafka())}/*"]
        storage = [*jars, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", config]
        with self._log.open("ab") as log:
            subprocess.run(storage, stdout=log, stderr=log, check=True, timeout=60)
            self.process = subprocess.Popen([*jars, "kafka.Kafka", config], stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or listens(self._port), timeout_s=60, what="Kafka")
        assert self.process.poll() is None, self._log.read_text(errors="replace")

    def create(self, *topics: str, partitions: int = 4) -> None:
        """Makes topics."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        made = admin.create_topics([NewTopic(topic, num_partitions=partitions) for topic in topics])
        for each in made.values():
            each.result(60)

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(60)


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
