"""What the processor measures of itself: one table, from which instruments, README and dashboards follow.

Of items, accepted = stored + duplicate + rejected, exactly, whenever no request is being answered. Over the life of a
database, what all processors stored and noted is what is there and what has expired.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Literal

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from agent_otel.errors import StoreError
from agent_otel.model import names
from agent_otel.otlp.received import Received
from agent_otel.store.base import PutResult, Stats

Kind = Literal["counter", "histogram", "gauge"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    help: str


METRICS: Final = (
    Metric(
        names.METRIC_ACCEPTED,
        "counter",
        "{item}",
        ("signal",),
        "spans and log records of requests that were answered with success",
    ),
    Metric(names.METRIC_STORED, "counter", "{item}", ("signal",), "of these, the ones that are new in the store"),
    Metric(names.METRIC_DUPLICATE, "counter", "{item}", ("signal",), "of these, the ones that were there already"),
    Metric(
        names.METRIC_REJECTED,
        "counter",
        "{item}",
        ("signal", "reason"),
        "of these, the ones that were refused for good",
    ),
    Metric(names.METRIC_REPAIRED, "counter", "{item}", ("signal",), "of these, the ones whose text had to be mended"),
    Metric(
        names.METRIC_IGNORED,
        "counter",
        "{item}",
        ("signal",),
        "beside them, what is understood and not kept: data points that tell nothing of a run",
    ),
    Metric(
        names.METRIC_REQUESTS,
        "counter",
        "{request}",
        ("signal", "transport", "status"),
        "export requests by the answer they got",
    ),
    Metric(
        names.METRIC_REFUSED,
        "counter",
        "{request}",
        ("reason",),
        "export requests whose senders were told to come back",
    ),
    Metric(
        names.METRIC_ACKNOWLEDGED,
        "histogram",
        "s",
        ("signal", "transport"),
        "time from the beginning of a request to its answer",
    ),
    Metric(names.METRIC_COMMIT, "histogram", "s", (), "time that the items of a request wait to be committed"),
    Metric(names.METRIC_IN_FLIGHT, "gauge", "By", (), "bytes of requests in work"),
    Metric(names.METRIC_DUE, "gauge", "{group}", (), "groups of items that wait to be folded"),
    Metric(names.METRIC_LAG, "gauge", "s", (), "how long the first of them has been waiting"),
    Metric(names.METRIC_FOLDED, "counter", "{group}", (), "groups that were folded"),
    Metric(names.METRIC_FOLD, "histogram", "s", (), "time that folding a group takes"),
    Metric(names.METRIC_EMITTED, "counter", "{record}", (), "records that were passed on"),
    Metric(
        names.METRIC_MEMORY, "gauge", "By", ("process",), "memory of the process that receives, and of those that fold"
    ),
    Metric(names.METRIC_KEPT_ITEMS, "gauge", "{item}", (), "items in the store"),
    Metric(
        names.METRIC_KEPT_NOTES,
        "gauge",
        "{item}",
        (),
        "items that processors ever put there themselves, to find the runs of evidence that comes later",
    ),
    Metric(names.METRIC_KEPT_EXPIRED, "gauge", "{item}", (), "items that were ever removed from there by age"),
    Metric(names.METRIC_KEPT_RECORDS, "gauge", "{record}", ("lifecycle",), "records in the store"),
)

SECONDS: Final = tuple(0.001 * 2**n for n in range(16))
"""Bounds of all histograms: a millisecond to half a minute."""

LOOK_AGAIN_S: Final = 5.0
"""How long what the store said about itself is believed."""

REASONS: Final = (
    ("trace id", "trace_id"),
    ("span id", "span_id"),
    ("nested in more than", "depth"),
    ("larger than", "size"),
    ("more than", "count"),
    ("resource", "origin"),
    ("scope", "origin"),
    ("", "damaged"),
)
"""What the reason of a rejection says, to the few words that metrics know; the first that fits counts."""


class Backlog:
    """What the store says about itself, asked at most every few seconds.

    Args:
        stats: counts what is there.
        oldest_ns: since when the first due group waits, or None.
        clock: the time in ns.
    """

    def __init__(
        self,
        stats: Callable[[], Stats],
        oldest_ns: Callable[[], int | None],
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._stats = stats
        self._oldest_ns = oldest_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_ns: int | None = None
        self._known: tuple[Stats, int | None] | None = None

    def stats(self) -> Stats | None:
        """The counts; None where the store cannot be asked."""
        known = self._ask()
        return known[0] if known else None

    def lag_s(self) -> float | None:
        """How long the first due group has been waiting; None where the store cannot be asked."""
        known = self._ask()
        if known is None:
            return None
        _, oldest = known
        return max(0.0, (self._clock() - oldest) / 1e9) if oldest is not None else 0.0

    def _ask(self) -> tuple[Stats, int | None] | None:
        with self._lock:
            now = self._clock()
            if self._asked_ns is None or not 0 <= now - self._asked_ns < LOOK_AGAIN_S * 1e9:
                self._asked_ns = now
                try:
                    self._known = self._stats(), self._oldest_ns()
                except StoreError:
                    self._known = None
            return self._known


class ServiceMetrics:
    """The processor's instruments, with a meter provider of their own.

    Args:
        backlog: what the store says about itself.
        in_flight: bytes in work.
        memory: bytes of each kind of process.
        endpoint: where they are also sent to by OTLP, if anywhere.
        version: of this program.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        in_flight: Callable[[], int],
        memory: Callable[[], Mapping[str, int]],
        endpoint: str = "",
        version: str = "",
    ) -> None:
        self._backlog = backlog
        self._memory = memory
        self._registry = CollectorRegistry()
        readers: list[MetricReader] = [PrometheusMetricReader(registry=self._registry, scope_info_enabled=False)]
        if endpoint:
            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=endpoint)))
        resource = Resource.create({names.SERVICE_NAME: "agent-otel", names.SERVICE_VERSION: version})
        self._provider = MeterProvider(
            metric_readers=readers,
            resource=resource,
            exemplar_filter=AlwaysOffExemplarFilter(),  # there are no spans to point at
            shutdown_on_exit=False,
        )
        meter = self._provider.get_meter(names.SCOPE, version)
        self._counters = {row.name: _counter(meter, row) for row in METRICS if row.kind == "counter"}
        self._histograms = {row.name: _histogram(meter, row) for row in METRICS if row.kind == "histogram"}
        observed: Mapping[str, Callable[[], Iterable[Observation]]] = {
            names.METRIC_IN_FLIGHT: lambda: [Observation(in_flight())],
            names.METRIC_DUE: self._kept(attrgetter("due")),
            names.METRIC_LAG: self._lag,
            names.METRIC_MEMORY: self._resident,
            names.METRIC_KEPT_ITEMS: self._kept(attrgetter("items")),
            names.METRIC_KEPT_NOTES: self._kept(attrgetter("notes")),
            names.METRIC_KEPT_EXPIRED: self._kept(attrgetter("expired")),
            names.METRIC_KEPT_RECORDS: self._kept_records,
        }
        for row in METRICS:
            if row.kind == "gauge":
                meter.create_observable_gauge(
                    row.name, callbacks=[_asking(observed[row.name])], unit=row.unit, description=row.help
                )

    def answered(self, *, signal: str, transport: str, status: int | str, duration_s: float) -> None:
        """Notes that an export request was answered."""
        labels = {names.LABEL_SIGNAL: signal, names.LABEL_TRANSPORT: transport}
        self._counters[names.METRIC_REQUESTS](1, {**labels, names.LABEL_STATUS: str(status)})
        self._histograms[names.METRIC_ACKNOWLEDGED].record(duration_s, labels)

    def accepted(self, received: Received, result: PutResult, *, signal: str) -> None:
        """Notes what became of the items of a request that was answered with success."""
        labels = {names.LABEL_SIGNAL: signal}
        rejected = sum(each.count for each in received.rejected)
        for name, count in (
            (names.METRIC_ACCEPTED, len(received.items) + rejected),
            (names.METRIC_STORED, result.stored),
            (names.METRIC_DUPLICATE, result.duplicates),
            (names.METRIC_REPAIRED, received.repaired),
            (names.METRIC_IGNORED, received.ignored),
        ):
            if count:
                self._counters[name](count, labels)
        for each in received.rejected:
            self._counters[names.METRIC_REJECTED](each.count, {**labels, names.LABEL_REASON: word_for(each.reason)})

    def refused(self, reason: str) -> None:
        """Notes that the sender of a request was told to come back."""
        self._counters[names.METRIC_REFUSED](1, {names.LABEL_REASON: reason})

    def committed(self, duration_s: float) -> None:
        """Notes how long items waited for their commit."""
        self._histograms[names.METRIC_COMMIT].record(duration_s)

    def folded(self, *, groups: int, duration_s: float) -> None:
        """Notes that so many groups were folded, in so many seconds altogether."""
        if groups:
            self._counters[names.METRIC_FOLDED](groups, {})
            self._histograms[names.METRIC_FOLD].record(duration_s / groups)

    def emitted(self, records: int) -> None:
        """Notes that records were passed on."""
        self._counters[names.METRIC_EMITTED](records, {})

    def exposition(self) -> tuple[bytes, str]:
        """All metrics as Prometheus reads them, and the content type of that."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def close(self) -> None:
        """Sends what is to be sent, for two seconds at most."""
        self._provider.shutdown(timeout_millis=2_000)

    def _lag(self) -> Iterable[Observation]:
        lag = self._backlog.lag_s()
        return [Observation(lag)] if lag is not None else []

    def _resident(self) -> Iterable[Observation]:
        return [Observation(size, {names.LABEL_PROCESS: kind}) for kind, size in self._memory().items()]

    def _kept(self, number: Callable[[Stats], int]) -> Callable[[], Iterable[Observation]]:
        """Asks the store for one of its counts; nothing where it cannot be asked."""

        def observe() -> Iterable[Observation]:
            stats = self._backlog.stats()
            return [Observation(number(stats))] if stats else []

        return observe

    def _kept_records(self) -> Iterable[Observation]:
        stats = self._backlog.stats()
        counts = stats.records.items() if stats else ()
        return [Observation(count, {names.LABEL_LIFECYCLE: lifecycle}) for lifecycle, count in counts]


def word_for(reason: str) -> str:
    """The one of a few words that stands for the reason of a rejection."""
    return next(word for part, word in REASONS if part in reason)


def _counter(meter: Meter, row: Metric) -> Callable[[int, Mapping[str, str]], None]:
    counter = meter.create_counter(row.name, unit=row.unit, description=row.help)
    return counter.add


def _histogram(meter: Meter, row: Metric) -> Histogram:
    return meter.create_histogram(
        row.name, unit=row.unit, description=row.help, explicit_bucket_boundaries_advisory=SECONDS
    )


def _asking(observe: Callable[[], Iterable[Observation]]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: observe()
