"""What metrics say a run has used; asked only where no span or log record of its group tells.

Metrics cover a session with all its agents, so that one call to a model that states its tokens makes them a second
telling of the same. They come at an interval of their own, also when all is over: of them follows nothing else, neither
that a run goes on nor that there is one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from agent_otel.compaction.passes.costs import usage_of
from agent_otel.compaction.reading.values import text
from agent_otel.compaction.runs import Run
from agent_otel.compaction.sessions import session_of
from agent_otel.model import names
from agent_otel.model.item import Log
from agent_otel.model.measures import LARGEST, MEASURES
from agent_otel.model.record import Usage

_FAMILIES: Final = tuple(dict.fromkeys(measure.family for measure in MEASURES.values()))


def used(runs: Sequence[Run], measured: Sequence[Log]) -> Mapping[str, Usage]:
    """What runs have used by their metrics; nothing where telemetry of the group tells it.

    Args:
        runs: the runs of the group, the earliest first.
        measured: one copy of each thing measured.
    """
    if not measured or any(_told(usage_of(run)) for run in runs):
        return {}
    said = {run.run_id: run for run in runs}
    by_session: dict[str, Run] = {}
    for run in runs:
        for item in run.items:
            by_session.setdefault(session_of(item), run)
    shares: dict[str, list[Log]] = defaultdict(list)
    for log in measured:
        run = said.get(text(log.attributes.get(names.RUN_ID))) or by_session.get(session_of(log)) or runs[0]
        shares[run.run_id].append(log)
    return {run_id: _completed(usage_of(said[run_id]), logs) for run_id, logs in shares.items()}


def _told(usage: Usage) -> bool:
    return (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) != (None, None, None)


def _completed(usage: Usage, logs: Iterable[Log]) -> Usage:
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for log in logs:
        measure = MEASURES.get(text(log.attributes.get(names.MEASURED_METRIC)))
        value = log.attributes.get(names.MEASURED_VALUE)
        if measure is not None and isinstance(value, float) and 0 <= value <= LARGEST:
            for field in measure.counts.get(text(log.attributes.get(names.MEASURED_KIND)), ()):
                values[field][measure.family].append(value)
    # Summed exactly, so that the order in which they came cannot matter.
    sums = {
        field: math.fsum(next(families[family] for family in _FAMILIES if family in families))
        for field, families in values.items()
    }
    if not sums:
        return usage
    cost = sums.pop("cost_usd", None)
    return replace(
        usage, **{field: round(min(value, LARGEST)) for field, value in sums.items()}, cost_usd=cost, from_metrics=True
    )
