"""Where a row of a table leads: to its run, its record, its trace."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from boards.queries import TEMPO

Json = dict[str, Any]

RUN_DASHBOARD: Final = "agent-otel-run"

_RUN_ID: Final = "${__data.fields.run_id:percentencode}"
_TRACE_ID: Final = "${__data.fields.trace_id}"


def _explore() -> str:
    """The address of a trace in Grafana's own view of Tempo. What Grafana fills in must not be encoded."""
    query = {
        "refId": "A",
        "datasource": {"type": TEMPO.plugin, "uid": "SOURCE"},
        "queryType": "traceql",
        "query": "TRACE",
    }
    panes = {"run": {"datasource": "SOURCE", "queries": [query], "range": {"from": "now-1h", "to": "now"}}}
    address = f"/explore?schemaVersion=1&panes={quote(json.dumps(panes, separators=(',', ':')))}"
    return address.replace("SOURCE", f"${{{TEMPO.variable}}}").replace("TRACE", _TRACE_ID)


RUN: Final[tuple[Json, ...]] = (
    {
        "title": "The run",
        "url": f"/d/{RUN_DASHBOARD}?var-run_id={_RUN_ID}&${{postgres:queryparam}}&${{__url_time_range}}",
    },
    {"title": "Run record (JSON)", "url": f"${{processor}}/api/runs/{_RUN_ID}", "targetBlank": True},
    {"title": "Trace in Tempo", "url": _explore()},
    {"title": "Trace in Jaeger", "url": f"${{jaeger_ui}}/trace/{_TRACE_ID}", "targetBlank": True},
)
"""For the field ``run_id`` of rows that also have ``trace_id``."""

RUN_BY_VALUE: Final[tuple[Json, ...]] = (
    {"title": "The run", "url": f"/d/{RUN_DASHBOARD}?var-run_id=${{__value.raw:percentencode}}&${{__url_time_range}}"},
)
"""For a field whose values are run ids."""
