"""Budgets and cost: tokens, model calls and money where they are known, and what runs use of their limits."""

from __future__ import annotations

from typing import Final

from boards import links, looks, series
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import POSTGRES, PROMETHEUS, TEMPO, Promql, Sql
from boards.variables import ADDRESSES, NONE, OF_MODELS, WITHIN, column, data_source

_RUNS: Final = f"FROM agent_otel.runs WHERE {WITHIN} AND {OF_MODELS}"
_TOKENS: Final = "(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))::float"


def _number(title: str, says: str, expression: str, unit: str = "short") -> Panel:
    query = Sql(f'SELECT {expression} AS "{title.lower()}" {_RUNS}')
    return Panel(title=title, says=says, look=looks.stat(unit), queries=[query], width=4, height=4)


def _over_time(title: str, says: str, value: str, by: str, unit: str = "short") -> Panel:
    """The sum of a value of runs, by a column of theirs."""
    query = Sql(
        f"SELECT $__timeGroupAlias(started, $__interval), coalesce({by}, '{NONE}') AS metric,"
        f' sum({value})::float AS "value" {_RUNS} GROUP BY 1, 2 HAVING sum({value}) > 0 ORDER BY 1, 2',
        over_time=True,
    )
    return Panel(title=title, says=says, look=looks.bars(unit), queries=[query], width=8, interval="5m")


_WHO: Final = Panel(
    title="By agent, model and repository",
    says="What the runs used, and what of it went into runs that are done; cost where senders tell it.",
    look=looks.table(units={"cost": "currencyUSD", "into_done_runs": "percentunit", "wall_time": "s"}),
    queries=[
        Sql(
            f"SELECT coalesce(agent, '{NONE}') AS agent, coalesce(model, '{NONE}') AS model,"
            f" coalesce(repository, '{NONE}') AS repository, count(*) AS runs, sum(model_calls)::float AS model_calls,"
            " sum(failed_model_calls)::float AS failed_model_calls, sum(input_tokens)::float AS input_tokens,"
            " sum(output_tokens)::float AS output_tokens, sum(cache_read_tokens)::float AS cache_read_tokens,"
            " sum(cost_usd) AS cost,"
            f" sum({_TOKENS}) FILTER (WHERE review_state = 'done') / nullif(sum({_TOKENS}), 0) AS into_done_runs,"
            f" sum(duration_s) AS wall_time {_RUNS} GROUP BY 1, 2, 3 ORDER BY sum({_TOKENS}) DESC, 1, 2, 3 LIMIT 100"
        )
    ],
    width=24,
)
_DEAREST: Final = Panel(
    title="The runs that used most",
    says="By tokens; the cost where it is known.",
    look=looks.table(
        links={"run_id": links.RUN},
        hidden=["trace_id"],
        units={"cost": "currencyUSD", "duration": "s"},
        coloured=["review_state"],
        widths={"started": 170},
    ),
    queries=[
        Sql(
            f"SELECT started, run_id, agent, model, objective, review_state, {_TOKENS} AS tokens,"
            f" cost_usd AS cost, duration_s AS duration, trace_id {_RUNS} ORDER BY 7 DESC, 2 LIMIT 50"
        )
    ],
    width=24,
)
_LIMITS: Final = Panel(
    title="Use of limits",
    says="The most that a run used of its limit, by budget; above 100 % it was exceeded.",
    look=looks.lines("percentunit"),
    queries=[
        Sql(
            "SELECT $__timeGroupAlias(started, $__interval), budget AS metric,"
            ' max(consumed / "limit") AS "value" FROM agent_otel.run_budgets'
            f' WHERE "limit" > 0 AND consumed IS NOT NULL AND {WITHIN} GROUP BY 1, 2 ORDER BY 1, 2',
            over_time=True,
        )
    ],
    interval="5m",
)
_BUDGETS: Final = Panel(
    title="Budgets",
    says="Steps, tokens, tool calls and wall time (in seconds) against their limits, by agent.",
    look=looks.table(units={"median_use": "percentunit", "highest_use": "percentunit"}),
    queries=[
        Sql(
            f"SELECT budget, coalesce(agent, '{NONE}') AS agent, count(*) AS runs, count(\"limit\") AS with_limit,"
            " count(*) FILTER (WHERE exceeded) AS exceeded,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY consumed) AS median,"
            ' percentile_cont(0.5) WITHIN GROUP (ORDER BY consumed / nullif("limit", 0)) AS median_use,'
            ' max(consumed / nullif("limit", 0)) AS highest_use'
            f" FROM agent_otel.run_budgets WHERE {WITHIN} GROUP BY 1, 2 ORDER BY 5 DESC, 1, 2 LIMIT 100"
        )
    ],
)
_EXCEEDED: Final = Panel(
    title="Runs over their budget",
    says="The latest first.",
    look=looks.table(links={"run_id": links.RUN}, hidden=["trace_id"], widths={"started": 170}),
    queries=[
        Sql(
            'SELECT started, run_id, agent, budget, "limit", consumed,'
            " (SELECT trace_id FROM agent_otel.runs WHERE runs.run_id = run_budgets.run_id) AS trace_id"
            f" FROM agent_otel.run_budgets WHERE exceeded AND {WITHIN} ORDER BY 1 DESC, 2, 4 LIMIT 100"
        )
    ],
    width=24,
)
_PER_RUN: Final = Panel(
    title="Calls in a run",
    says="Tool calls and model calls in an average run of decorated agents.",
    look=looks.lines(),
    queries=[
        Promql(
            f"sum by ({series.AGENT}) (rate({metric}_sum{series.CHOSEN_AGENTS}[$__rate_interval]))"
            f" / sum by ({series.AGENT}) (rate({metric}_count{series.CHOSEN_AGENTS}[$__rate_interval]))",
            f"{{{{{series.AGENT}}}}}: {what}",
        )
        for metric, what in ((series.AGENT_TOOL_CALLS, "tool calls"), (series.AGENT_MODEL_CALLS, "model calls"))
    ],
)

COST: Final = Dashboard(
    name="cost",
    title="Budgets and cost",
    says="What runs use: tokens, model calls, cost where it is known, steps and wall time against their limits.",
    variables=[
        data_source(POSTGRES),
        data_source(PROMETHEUS),
        data_source(TEMPO),
        column("repository"),
        column("agent"),
        column("model"),
        *ADDRESSES,
    ],
    rows=[
        Row(
            title="Used",
            panels=[
                _number("Input tokens", "What models were given.", "sum(input_tokens)::float"),
                _number("Output tokens", "What models gave.", "sum(output_tokens)::float"),
                _number("Model calls", "Those of the runs together.", "sum(model_calls)::float"),
                _number("Failed model calls", "Of these.", "sum(failed_model_calls)::float"),
                _number("Cost", "Where senders tell it.", "sum(cost_usd)", "currencyUSD"),
                _number(
                    "Cost is known",
                    "Of so many runs that called a model.",
                    "count(cost_usd) FILTER (WHERE model_calls > 0)"
                    " / nullif(count(*) FILTER (WHERE model_calls > 0), 0)::float",
                    "percentunit",
                ),
                _over_time("Tokens by model", "Given and got.", _TOKENS, "model"),
                _over_time("Tokens by agent", "Given and got.", _TOKENS, "agent"),
                _over_time(
                    "Tokens by review state",
                    "What went into runs that are done, and into others.",
                    _TOKENS,
                    "review_state",
                ),
                _over_time("Cost by agent", "Where senders tell it.", "cost_usd", "agent", "currencyUSD"),
                _over_time("Model calls by model", "Those that failed included.", "model_calls", "model"),
                _over_time("Wall time by agent", "Of runs, added up.", "duration_s", "agent", "s"),
            ],
        ),
        Row(title="By whom", panels=[_WHO, _DEAREST]),
        Row(title="Limits", panels=[_LIMITS, _PER_RUN, _BUDGETS, _EXCEEDED]),
    ],
)
