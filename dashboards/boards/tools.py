"""Tools and commands: what agents call, what fails, what takes long, what they are not allowed to do."""

from __future__ import annotations

from typing import Final

from agent_otel.model import names
from boards import links, looks, series
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import POSTGRES, PROMETHEUS, TEMPO, Promql, Sql
from boards.variables import ADDRESSES, WITHIN, column, data_source, label

_CHOSEN: Final = f'{series.TOOL_CALLS},service_name=~"$service",{series.TOOL}=~"$tool"'
_DENIED: Final = f'{series.ERROR}="{names.ERROR_DENIED}"'
_TIMED_OUT: Final = f'{series.ERROR}="{names.ERROR_TIMEOUT}"'
_BY_TOOL: Final = f"{{{{{series.TOOL}}}}}"

_RESULTS: Final = {
    "passed": looks.GREEN,
    "failed": looks.RED,
    "timed_out": looks.ORANGE,
    "denied": looks.PURPLE,
    "not_started": looks.YELLOW,
    "unknown": looks.GRAY,
}


def _calls(*conditions: str, over: str = "$__rate_interval") -> str:
    """Tool calls a second, of those that meet the conditions."""
    return f"rate({series.SPANS}{{{','.join((_CHOSEN, *conditions))}}}[{over}])"


def _per_tool(title: str, says: str, *conditions: str) -> Panel:
    query = Promql(f"60 * sum by ({series.TOOL}) ({_calls(*conditions)})", _BY_TOOL)
    return Panel(title=title, says=says, look=looks.bars("calls/min"), queries=[query], width=8)


def _share(title: str, says: str, *conditions: str) -> Panel:
    """The part of the calls in the whole time range."""
    part = f"(sum({_calls(*conditions, over='$__range')}) or vector(0)) / sum({_calls(over='$__range')})"
    look = looks.stat("percentunit", steps=looks.above(green=None, orange=0.05, red=0.2))
    return Panel(title=title, says=says, look=look, queries=[Promql(part, now=True)], width=6, height=4)


_COUNT: Final = Panel(
    title="Tool calls",
    says="In the time range, as their spans arrive at the collector.",
    look=looks.stat(),
    queries=[
        Promql(f"sum(increase({series.SPANS}{{{_CHOSEN}}}[$__range]))", now=True),
    ],
    width=6,
    height=4,
)
_FAILURE_RATE: Final = Panel(
    title="Failure rate",
    says="The part of the calls of each tool that end in an error.",
    look=looks.lines("percentunit", most=1),
    queries=[
        Promql(
            f"sum by ({series.TOOL}) ({_calls(series.FAILED)}) / sum by ({series.TOOL}) ({_calls()})",
            _BY_TOOL,
        )
    ],
)
_LATENCY: Final = Panel(
    title="Latency",
    says="Half of the calls, and 95 and 99 of a hundred, took less time.",
    look=looks.lines("s"),
    queries=[
        Promql(
            f"histogram_quantile({part:g}, sum by (le) (rate({series.SPAN_DURATION}_bucket{{{_CHOSEN}}}"
            "[$__rate_interval])))",
            f"{part:.0%}",
        )
        for part in (0.5, 0.95, 0.99)
    ],
)
_SLOW_TOOLS: Final = Panel(
    title="Latency by tool",
    says="95 of a hundred calls of decorated tools took less time, as the SDK measures it.",
    look=looks.lines("s"),
    queries=[
        Promql(
            f"histogram_quantile(0.95, sum by (le, {series.TOOL}) (rate({series.TOOL_DURATION}_bucket"
            f'{{{series.TOOL}=~"$tool"}}[$__rate_interval])))',
            _BY_TOOL,
        )
    ],
)
_CALLED: Final = Panel(
    title="Calls of decorated tools",
    says="A minute, as the SDK counts them; unmeasured are those that came too fast to be counted by tool.",
    look=looks.bars("calls/min"),
    queries=[
        Promql(f'60 * sum by (tool) (rate({series.TOOLS_CALLED}{{tool=~"$tool"}}[$__rate_interval]))', "{{tool}}"),
        Promql(f"60 * sum(rate({series.UNMEASURED}[$__rate_interval]))", "unmeasured"),
    ],
)
_LAST_COMMANDS: Final = (
    "SELECT *, count(*) OVER (PARTITION BY run_id, command) AS times,"
    " lead(result) OVER (PARTITION BY run_id, command ORDER BY position) AS next_result"
    f" FROM agent_otel.run_commands WHERE {WITHIN}"
)
_COMMAND_RESULTS: Final = Panel(
    title="Commands by result",
    says="Commands of all runs, by the start of their run.",
    look=looks.bars(colours=_RESULTS),
    queries=[
        Sql(
            'SELECT $__timeGroupAlias(started, $__interval), result AS metric, count(*) AS "value"'
            f" FROM agent_otel.run_commands WHERE {WITHIN} GROUP BY 1, 2 ORDER BY 1, 2",
            over_time=True,
        )
    ],
    interval="5m",
)
_TOOLS_OF_RUNS: Final = Panel(
    title="Tools that fail most",
    says="By the records: also of agents whose spans the collector does not count as tool calls.",
    look=looks.ranking(
        colours={"succeeded": looks.GREEN, "failed": looks.RED, "denied": looks.PURPLE},
    ),
    queries=[
        Sql(
            "SELECT left(tool, 60) AS tool, sum(failed - denied)::float AS failed, sum(denied)::float AS denied,"
            " sum(calls - failed)::float AS succeeded"
            f" FROM agent_otel.run_tool_calls WHERE {WITHIN} GROUP BY 1"
            " ORDER BY sum(failed) DESC, sum(calls) DESC LIMIT 15"
        )
    ],
    height=10,
)
_POLICIES: Final = Panel(
    title="Denials by policy",
    says="Calls that a gate refused, by the policy that it names.",
    look=looks.ranking(),
    queries=[
        Sql(
            "SELECT coalesce(policy, tool) AS policy, count(*) AS denials FROM agent_otel.run_gates"
            f" WHERE outcome = 'deny' AND {WITHIN} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15"
        )
    ],
    height=10,
)
_SLOWEST: Final = Panel(
    title="Slowest commands",
    says="By all the time that they took together.",
    look=looks.table(units={"together": "s", "longest": "s", "median": "s"}),
    queries=[
        Sql(
            "SELECT left(command, 200) AS command, count(*) AS times, sum(command_duration_s) AS together,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY command_duration_s) AS median,"
            " max(command_duration_s) AS longest, count(DISTINCT run_id) AS runs"
            f" FROM agent_otel.run_commands WHERE command_duration_s IS NOT NULL AND {WITHIN}"
            " GROUP BY 1 ORDER BY 3 DESC LIMIT 25"
        )
    ],
)
_RETRIED: Final = Panel(
    title="Commands that are tried again",
    says="The same command in one run, after it had failed: how often, and how often that helped.",
    look=looks.table(),
    queries=[
        Sql(
            "SELECT left(command, 200) AS command, count(*) AS retries,"
            " count(*) FILTER (WHERE next_result = 'passed') AS helped, count(DISTINCT run_id) AS runs"
            f" FROM ({_LAST_COMMANDS}) AS commands WHERE result <> 'passed' AND next_result IS NOT NULL"
            " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 25"
        )
    ],
)
_NEVER_REPEATED: Final = Panel(
    title="Failed commands that were never run again",
    says="The last word on these commands in their run is a failure; the latest first.",
    look=looks.table(
        links={"run_id": links.RUN},
        hidden=["trace_id"],
        units={"seconds": "s"},
        widths={"started": 170, "exit_code": 90},
    ),
    queries=[
        Sql(
            "SELECT started, run_id, agent, command, result, exit_code, command_duration_s AS seconds, times, trace_id"
            f" FROM ({_LAST_COMMANDS}) AS commands WHERE result IN ('failed', 'timed_out') AND next_result IS NULL"
            " ORDER BY started DESC, position LIMIT 100"
        )
    ],
    width=24,
)

TOOLS: Final = Dashboard(
    name="tools",
    title="Tools and commands",
    says="What agents call and run: how often, how long, what fails, what is denied, what is never tried again.",
    variables=[
        data_source(PROMETHEUS),
        data_source(POSTGRES),
        data_source(TEMPO),
        label("service", PROMETHEUS, label="service_name", metric=f"{series.SPANS}{{{series.TOOL_CALLS}}}"),
        label("tool", PROMETHEUS, label=series.TOOL, metric=f"{series.SPANS}{{{series.TOOL_CALLS}}}"),
        column("repository"),
        column("agent"),
        *ADDRESSES,
    ],
    rows=[
        Row(
            title="Tool calls",
            panels=[
                _COUNT,
                _share("Failing", "The part of the tool calls that ended in an error.", series.FAILED),
                _share("Denied", "The part of the tool calls that a gate refused.", _DENIED),
                _share("Timed out", "The part of the tool calls that took too long.", _TIMED_OUT),
                _per_tool("Calls", "Tool calls a minute, by tool."),
                _per_tool("Denials", "Refused calls a minute, by tool.", _DENIED),
                _per_tool("Time-outs", "Calls a minute that took too long, by tool.", _TIMED_OUT),
                _FAILURE_RATE,
                _LATENCY,
                _CALLED,
                _SLOW_TOOLS,
            ],
        ),
        Row(title="Commands", panels=[_NEVER_REPEATED, _SLOWEST, _RETRIED, _COMMAND_RESULTS]),
        Row(title="By the records", panels=[_TOOLS_OF_RUNS, _POLICIES]),
    ],
)
