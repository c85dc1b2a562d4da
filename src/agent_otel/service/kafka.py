"""Reads what the collector's Kafka exporter writes (``otlp_proto``), and commits offsets after the store's commit.

A batch is taken, kept in one transaction, and only then told to Kafka. Whatever happens in between, the same messages
come again, to this consumer or to another, and items that are there already are counted as duplicates.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from agent_otel.errors import DecodeError, SettingsError, StoreError, TooLarge
from agent_otel.model.item import Item
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Received, SignalName
from agent_otel.service.logs import Rarely
from agent_otel.service.metrics import ServiceMetrics
from agent_otel.service.settings import ConsumerSettings
from agent_otel.store.base import PutResult

BATCH: Final = 500
"""Messages of one transaction; the collector writes one for each trace of a batch, so they are small."""

QUEUE_KIB: Final = 32 << 10
"""What may wait in the client, and so what a batch may weigh."""

LOOK_S: Final = 0.5
LONGEST_PAUSE_S: Final = 10.0

_DEFAULTS: Final = {
    # A topic that is created after the consumer came is found when the client looks again: by its own default after up
    # to five minutes.
    "topic.metadata.refresh.interval.ms": 10_000,
}
_OURS: Final = {
    "enable.auto.commit": False,
    # Nothing that was written before the first consumer came is left out.
    "auto.offset.reset": "earliest",
    # On a rebalance all partitions are given up, and with them the batch in hand: there is no half of either.
    "partition.assignment.strategy": "range,roundrobin",
    "queued.max.messages.kbytes": QUEUE_KIB,
}

PutAll = Callable[[Sequence[Sequence[Item]]], list[PutResult]]


class _Read(msgspec.Struct, frozen=True):
    """What was read of a message, from the beginning on."""

    signal: SignalName
    received: Received


class KafkaSource:
    """Reads topics in a thread of its own, until it is stopped.

    Args:
        settings: which topics of which brokers, and as which group.
        put_all: keeps items, durably once it returns.
        metrics: what is counted.
        rarely: where trouble is told.

    Raises:
        SettingsError: the client refuses what the settings say.
    """

    def __init__(self, settings: ConsumerSettings, *, put_all: PutAll, metrics: ServiceMetrics, rarely: Rarely) -> None:
        self._signals = settings.topics
        self._put_all = put_all
        self._metrics = metrics
        self._rarely = rarely
        self._stop = threading.Event()
        self._revoked = False
        self._thread = threading.Thread(target=self._run, name="agent-otel-kafka", daemon=True)
        given = {} if settings.kafka_config is None else properties(settings.kafka_config)
        config: dict[str, Any] = {
            **_DEFAULTS,
            **given,
            **_OURS,
            "bootstrap.servers": settings.kafka,
            "group.id": settings.group,
            "error_cb": lambda error: rarely.warning("Kafka is in trouble", error=str(error)),
        }
        try:
            self._consumer = Consumer(config)
        except KafkaException as exc:
            message = f"Kafka's client refuses its settings: {exc}"
            raise SettingsError(message) from exc

    def start(self) -> None:
        """Joins the group and begins."""
        self._consumer.subscribe(
            list(self._signals), on_assign=self._take_over, on_revoke=self._give_up, on_lost=self._give_up
        )
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Finishes the batch in hand, if that is possible in the time, and leaves the group."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._read_on()
        except Exception as exc:  # noqa: BLE001 - a process that reads no more must not look as if it did
            self._rarely.warning("reading from Kafka has failed; the process ends", error=repr(exc), exc_info=exc)
            # At once: what is in hand is not committed, and comes again to whoever is started next.
            os._exit(1)

    def _read_on(self) -> None:
        while not self._stop.is_set():
            messages = self._consumer.consume(BATCH, LOOK_S)
            self._revoked = False  # whatever was given up before is not in this batch
            good = [message for message in messages if self._is_good(message)]
            if good and self._keep([self._read(message) for message in good]):
                self._commit(good)
        self._consumer.close()

    def _is_good(self, message: Message) -> bool:
        error = message.error()
        if error is not None:
            self._rarely.warning("Kafka is in trouble", error=str(error))
        return error is None

    def _read(self, message: Message) -> _Read:
        signal = self._signals[str(message.topic())]
        begun = time.perf_counter()
        status = 200
        try:
            received = items_from_protobuf(message.value() or b"", signal)
        except Exception as exc:  # noqa: BLE001 - to stop here is to stop for ever: the message never gets better
            received, status = Received(), exc.status if isinstance(exc, (DecodeError, TooLarge)) else 500
            self._rarely.warning(
                "a message is skipped",
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                error=str(exc),
            )
        self._metrics.answered(signal=signal, transport="kafka", status=status, duration_s=time.perf_counter() - begun)
        return _Read(signal, received)

    def _keep(self, batch: Sequence[_Read]) -> bool:
        """Whether the batch is in the store; tried until it is, or is ours no more."""
        pause_s = LOOK_S
        while True:
            begun = time.perf_counter()
            try:
                results = self._put_all([each.received.items for each in batch])
            except StoreError as exc:
                self._metrics.refused("store")
                self._rarely.warning("reading waits for the store", error=str(exc))
                if not self._wait(pause_s):
                    return False
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                self._metrics.committed(time.perf_counter() - begun)
                for each, result in zip(batch, results, strict=True):
                    self._metrics.accepted(each.received, result, signal=each.signal)
                return True

    def _wait(self, pause_s: float) -> bool:
        """Waits without leaving the group; whether the batch in hand is still ours."""
        assigned = self._consumer.assignment()
        self._consumer.pause(assigned)
        deadline = time.monotonic() + pause_s
        while time.monotonic() < deadline and not self._revoked and not self._stop.is_set():
            # Paused partitions give no messages; whoever does not ask is taken for dead.
            early = self._consumer.poll(0.1)
            if early is not None and early.error() is None:
                # Of a partition that was assigned a moment ago: it is to come again, with those after it.
                self._consumer.seek(_place_of(early))
        if self._revoked or self._stop.is_set():
            return False  # whatever is assigned from then on is not paused
        self._consumer.resume(assigned)
        return True

    def _commit(self, messages: Sequence[Message]) -> None:
        ends: dict[tuple[str, int], int] = {}
        for message in messages:
            place = _place_of(message)
            at = place.topic, place.partition
            ends[at] = max(ends.get(at, 0), place.offset + 1)
        try:
            self._consumer.commit(offsets=[TopicPartition(*at, end) for at, end in ends.items()], asynchronous=False)
        except KafkaException as exc:
            # Given up meanwhile: whoever has the partitions now reads the messages again, as duplicates.
            self._rarely.warning("offsets cannot be committed", error=str(exc))

    def _take_over(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        consumer.resume(partitions)

    def _give_up(self, _: Consumer, __: list[TopicPartition]) -> None:
        self._revoked = True


def _place_of(message: Message) -> TopicPartition:
    return TopicPartition(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))


def properties(path: Path) -> dict[str, str]:
    """The settings in a file of librdkafka's, ``key=value`` on each line, with ``#`` before comments.

    Raises:
        SettingsError: the file cannot be read, a line is none of these, or a key is not for the user to set.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        message = f"cannot read {path}: {exc}"
        raise SettingsError(message) from exc
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not key or key.startswith("#"):
            continue
        if not equals:
            message = f"{path}:{number}: expected key=value"
            raise SettingsError(message)
        if key in _OURS or key in {"bootstrap.servers", "group.id"}:
            message = f"{path}:{number}: {key} is not for this file to set"
            raise SettingsError(message)
        found[key] = value
    return found
