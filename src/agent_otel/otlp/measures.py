"""From data points of metrics to items: of those that tell what a run has used, the sum, and nothing else.

What is kept of a point is a log event, ``agent_otel.measured``: its time, what it counts, and the run or session that
it names. So it is stored, listed and exported like all that came. Its event id is the series it belongs to: a later
value of a cumulative series is another copy of the same event, of which the latest counts, while each point of a delta
series is an event of its own, however often it is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
)

from agent_otel.errors import DecodeError
from agent_otel.model import names
from agent_otel.model.measures import LARGEST, MEASURES
from agent_otel.otlp.build import Builder, canonical
from agent_otel.otlp.links import named_links
from agent_otel.otlp.received import Outcome
from agent_otel.otlp.repair import parse

DATA: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "sum": NumberDataPoint,
        "histogram": HistogramDataPoint,
        "exponential_histogram": ExponentialHistogramDataPoint,
    }
)
"""Kind of metric to its data points; the others have no sum over time."""

_DELTA: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_TEMPORALITIES: Final = (_DELTA, AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)
_NO_VALUE: Final = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


class Encoded(msgspec.Struct, frozen=True):
    """The bytes of a data point, and whether its text was mended on the way to them."""

    raw: bytes
    mended: bool = False


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What the data points of a metric have in common."""

    name: str
    data: str
    temporality: int

    @property
    def kept(self) -> bool:
        """Whether anything of it is."""
        return self.name in MEASURES and self.data in DATA


def outcomes(series: Series, points: Sequence[Encoded | str], builder: Builder) -> Iterator[Outcome]:
    """What becomes of each data point of a metric that is kept; of a reason why one is refused, that.

    Args:
        series: the metric.
        points: its data points.
        builder: makes log records of the same origin.
    """
    for point in points:
        yield point if isinstance(point, str) else _outcome(series, point, builder)


def _outcome(series: Series, encoded: Encoded, builder: Builder) -> Outcome:
    limits = builder.limits
    if len(encoded.raw) > limits.item_bytes:
        return f"data point larger than {limits.item_bytes} bytes"
    try:
        point, broken = parse(DATA[series.data], encoded.raw, builder.steps)
    except DecodeError as exc:
        return f"data point: {exc}"
    if len(point.attributes) > limits.attributes:
        return f"data point with more than {limits.attributes} attributes"
    if point.flags & _NO_VALUE or not (builder.source.links or named_links(point.attributes)):
        return None
    return _kept(series, point, builder, repaired=encoded.mended or broken or builder.source.repaired)


def _kept(series: Series, point: Any, builder: Builder, *, repaired: bool) -> Outcome:
    if series.temporality not in _TEMPORALITIES:
        return "data point of no aggregation temporality"
    value = _value(point)
    if not 0 <= value <= LARGEST:
        return "data point whose value is not from 0 to 2**63"
    record = _record(series, point, value, builder)
    return builder.kind.build(builder, record, canonical(record), repaired)


def _record(series: Series, point: Any, value: float, builder: Builder) -> LogRecord:
    kind = MEASURES[series.name].kind_attribute
    texts: dict[str, str] = {}
    for entry in point.attributes:
        if entry.key == kind or entry.key in names.GROUP_KEYS:
            texts.setdefault(entry.key, entry.value.string_value)
    said = {
        names.EVENT_ID: _identity(series, point, builder),
        names.MEASURED_METRIC: series.name,
        names.MEASURED_KIND: texts.get(kind, ""),
    }
    said.update((name, texts[name]) for name in names.GROUP_KEYS if name in texts)
    attributes = [KeyValue(key=name, value=AnyValue(string_value=text)) for name, text in said.items()]
    attributes.append(KeyValue(key=names.MEASURED_VALUE, value=AnyValue(double_value=value)))
    return LogRecord(time_unix_nano=point.time_unix_nano, event_name=names.MEASURED, attributes=attributes)


def _value(point: Any) -> float:
    if isinstance(point, NumberDataPoint):
        return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double
    return float(point.sum)


def _identity(series: Series, point: Any, builder: Builder) -> str:
    """Names the series since it was last reset; of a delta series, the one point."""
    ends = point.time_unix_nano if series.temporality == _DELTA else 0
    parts = [
        builder.source.seeds[0],
        f"{series.name} {series.temporality} {point.start_time_unix_nano} {ends}".encode(),
        *sorted(canonical(entry) for entry in point.attributes),
    ]
    # Each part after its length, so that no two lists of parts come to the same bytes.
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()[:32]
