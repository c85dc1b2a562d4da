"""The trace explorer: runs, failing and denied tool calls as traces, by Tempo and by Jaeger."""

from __future__ import annotations

from typing import Final

from agent_otel.model import names
from boards import links, looks
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import JAEGER, TEMPO, JaegerSearch, Traceql
from boards.variables import data_source, resource, textbox

HOUR: Final = "1h"
"""How far every query looks back, whatever the dashboard's time range: searches of more time out."""

_SERVICE: Final = 'resource.service.name=~"$service"'
_RUN: Final = f'span.{names.OPERATION_NAME}="{names.INVOKE_AGENT}"'
_CALL: Final = f'span.{names.OPERATION_NAME}="{names.EXECUTE_TOOL}"'
_DENIED: Final = f'span.{names.ERROR_TYPE}="{names.ERROR_DENIED}"'


def _spans(*conditions: str, select: tuple[str, ...]) -> Traceql:
    chosen = ", ".join(f"span.{name}" for name in select)
    return Traceql(f"{{ {' && '.join((_SERVICE, *conditions))} }} | select({chosen})")


def _traces(title: str, says: str, query: Traceql | JaegerSearch) -> Panel:
    look = looks.table(links={names.RUN_ID: links.RUN_BY_VALUE} if isinstance(query, Traceql) else None)
    return Panel(title=title, says=says, look=look, queries=[query], newest=HOUR)


_ABOUT_CALLS: Final = (names.TOOL_NAME, names.ERROR_TYPE, names.AGENT_NAME)
_TEMPO: Final = (
    _traces(
        "Runs",
        "Of the last hour, with how they ended.",
        _spans(_RUN, select=(names.AGENT_NAME, names.RUN_ID, names.RUN_OUTCOME)),
    ),
    _traces(
        "Failing tool calls",
        "Of the last hour: calls whose span ended in an error.",
        _spans(_CALL, "status=error", select=_ABOUT_CALLS),
    ),
    _traces(
        "Denied calls", "Of the last hour: calls that a gate refused.", _spans(_CALL, _DENIED, select=_ABOUT_CALLS)
    ),
    _traces(
        "Slow tool calls",
        "Of the last hour: calls that took longer than is chosen at the top.",
        _spans(_CALL, "duration > $slow", select=_ABOUT_CALLS),
    ),
    Panel(
        title="Tool calls a second",
        says="Of the last hour, by tool, counted by Tempo from the spans.",
        look=looks.lines("calls/s"),
        queries=[Traceql(f"{{ {_SERVICE} && {_CALL} }} | rate() by (span.{names.TOOL_NAME})", over_time=True)],
        newest=HOUR,
    ),
    Panel(
        title="Failing tool calls a second",
        says="Of the last hour, by type of error, counted by Tempo from the spans.",
        look=looks.lines("calls/s"),
        queries=[
            Traceql(
                f"{{ {_SERVICE} && {_CALL} && status=error }} | rate() by (span.{names.ERROR_TYPE})", over_time=True
            )
        ],
        newest=HOUR,
    ),
)


def _found(**tags: str) -> JaegerSearch:
    return JaegerSearch(service="$jaeger_service", tags=" ".join(f"{name}={value}" for name, value in tags.items()))


_JAEGER: Final = (
    _traces(
        "Runs, by Jaeger",
        "Of the last hour: traces with a run in them.",
        _found(**{names.OPERATION_NAME: names.INVOKE_AGENT}),
    ),
    _traces(
        "Failing tool calls, by Jaeger",
        "Of the last hour: traces with a call that ended in an error.",
        _found(**{names.OPERATION_NAME: names.EXECUTE_TOOL, "error": "true"}),
    ),
    _traces(
        "Denied calls, by Jaeger",
        "Of the last hour: traces with a call that a gate refused.",
        _found(**{names.ERROR_TYPE: names.ERROR_DENIED}),
    ),
)

EXPLORER: Final = Dashboard(
    name="traces",
    title="Trace explorer",
    says="Runs, failing, denied and slow tool calls of the last hour as traces, by Tempo (TraceQL) and by Jaeger.",
    variables=[
        data_source(TEMPO),
        data_source(JAEGER),
        resource("service", TEMPO, attribute="service.name"),
        textbox("slow", "Slower than", "10s", "From which duration on a tool call is slow"),
        textbox("jaeger_service", "Service (Jaeger)", "coding-agent", "Whose traces Jaeger is to look for"),
    ],
    rows=[Row(title="Tempo", panels=_TEMPO), Row(title="Jaeger", panels=_JAEGER)],
    since="now-1h",
)
