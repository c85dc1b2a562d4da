"""Runs: how many there are, how they end, what a reviewer has to do about them."""

from __future__ import annotations

from typing import Final

from boards import links, looks, series
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import POSTGRES, PROMETHEUS, TEMPO, Promql, Sql
from boards.variables import ADDRESSES, OF_MODELS, WITHIN, column, data_source

_RUNS: Final = f"FROM agent_otel.runs WHERE {WITHIN} AND {OF_MODELS}"


def _by(field: str) -> Sql:
    """How many runs there are over time, by the values of a column."""
    text = (
        f"SELECT $__timeGroupAlias(started, $__interval), coalesce({field}, '(none)') AS metric,"
        f' count(*) AS "value" {_RUNS} GROUP BY 1, 2 ORDER BY 1, 2'
    )
    return Sql(text, over_time=True)


_COUNTS: Final = Panel(
    title="Runs by review state",
    says="Whether their work can be accepted, as far as the record tells.",
    look=looks.stat(colours=looks.REVIEW_STATES),
    queries=[
        Sql(
            "SELECT "
            + ", ".join(
                f"count(*) FILTER (WHERE review_state = '{state}') AS \"{state}\"" for state in looks.REVIEW_STATES
            )
            + f" {_RUNS}"
        )
    ],
    width=16,
    height=4,
)
_TOTAL: Final = Panel(
    title="Runs",
    says="All of them, and how long they usually take.",
    look=looks.stat(),
    queries=[Sql(f"SELECT count(*) AS runs {_RUNS}")],
    width=4,
    height=4,
)
_MEDIAN: Final = Panel(
    title="Median duration",
    says="Half of the runs took less time.",
    look=looks.stat("s"),
    queries=[Sql(f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s) AS median {_RUNS}")],
    width=4,
    height=4,
)
_LIST: Final = Panel(
    title="Runs, and the next step for a reviewer",
    says="The latest first. The next step is the first error that the record shows, else what the run itself asks for.",
    look=looks.table(
        links={"run_id": links.RUN},
        hidden=["trace_id"],
        units={"duration": "s", "cost": "currencyUSD"},
        coloured=["review_state", "lifecycle"],
        widths={"started": 170, "duration": 90, "review_state": 190, "lifecycle": 90, "proved": 75, "required": 75},
    ),
    queries=[
        Sql(
            "SELECT started, run_id, agent, repository, branch, objective, lifecycle, outcome, review_state,"
            " coalesce(first_error, next_action) AS next_step,"
            " (SELECT count(*) FROM jsonb_array_elements(document -> 'verifications') AS entry"
            " WHERE entry ->> 'required' = 'true') AS required,"
            " (SELECT count(*) FROM jsonb_array_elements(document -> 'verifications') AS entry"
            " WHERE entry ->> 'required' = 'true' AND entry ->> 'verdict' = 'proved') AS proved,"
            f" duration_s AS duration, cost_usd AS cost, trace_id {_RUNS} ORDER BY started DESC, run_id LIMIT 200"
        )
    ],
    width=24,
    height=12,
)
_STATES: Final = Panel(
    title="Review states over time",
    says="By the start of the run.",
    look=looks.bars(colours=looks.REVIEW_STATES),
    queries=[_by("review_state")],
    interval="5m",
)
_CHECKS: Final = Panel(
    title="Required checks without proof over time",
    says="Missing, stale, contradicted, failed or only claimed.",
    look=looks.bars(colours=looks.VERDICTS),
    queries=[
        Sql(
            "SELECT $__timeGroupAlias(started, $__interval), coalesce(verdict, 'unverifiable') AS metric,"
            ' count(*) AS "value" FROM agent_otel.run_verifications'
            f" WHERE required AND verdict IS DISTINCT FROM 'proved' AND {WITHIN} GROUP BY 1, 2 ORDER BY 1, 2",
            over_time=True,
        )
    ],
    interval="5m",
)
_LIFECYCLE: Final = Panel(
    title="Lifecycle",
    says="Open runs go on; abandoned ones were silent for too long, without an end.",
    look=looks.bars(colours=looks.LIFECYCLES),
    queries=[_by("lifecycle")],
    width=8,
    interval="5m",
)
_OUTCOME: Final = Panel(
    title="Outcome",
    says="How the runs ended.",
    look=looks.bars(colours=looks.OUTCOMES),
    queries=[_by("outcome")],
    width=8,
    interval="5m",
)
_DURATION: Final = Panel(
    title="Duration",
    says="Half of the runs, and nineteen of twenty, took less time.",
    look=looks.lines("s"),
    queries=[
        Sql(
            "SELECT $__timeGroupAlias(started, $__interval), part AS metric,"
            " CASE part WHEN 'half' THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s)"
            ' ELSE percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_s) END AS "value"'
            " FROM agent_otel.runs CROSS JOIN (VALUES ('half'), ('95%')) AS parts (part)"
            f" WHERE duration_s IS NOT NULL AND {WITHIN} AND {OF_MODELS} GROUP BY 1, 2 ORDER BY 1, 2",
            over_time=True,
        )
    ],
    width=8,
    interval="5m",
)


def _findings(field: str) -> Sql:
    severities = ", ".join(f"count(*) FILTER (WHERE severity = '{name}') AS {name}" for name in looks.SEVERITIES)
    return Sql(
        f"SELECT coalesce({field}, '(none)') AS {field}, {severities} FROM agent_otel.run_findings WHERE {WITHIN}"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20"
    )


_RULES: Final = Panel(
    title="Findings by rule",
    says="What the rules say about the runs; `agent-otel rules` explains each.",
    look=looks.ranking(colours=looks.SEVERITIES),
    queries=[_findings("rule")],
    height=10,
)
_LAYERS: Final = Panel(
    title="Findings by layer of the harness",
    says="The part of the harness that a fix belongs to.",
    look=looks.ranking(colours=looks.SEVERITIES),
    queries=[_findings("layer")],
    height=10,
)
_RATE: Final = Panel(
    title="Runs per minute",
    says="Of decorated agents, as they end, by agent.",
    look=looks.bars(),
    queries=[
        Promql(
            f"60 * sum by ({series.AGENT})"
            f" (rate({series.AGENT_DURATION}_count{series.CHOSEN_AGENTS}[$__rate_interval]))",
            f"{{{{{series.AGENT}}}}}",
        )
    ],
)
_FAILING: Final = Panel(
    title="Runs that fail",
    says="The part of the runs of decorated agents that ended with an error, by agent.",
    look=looks.lines("percentunit", most=1),
    queries=[
        Promql(
            f"sum by ({series.AGENT}) (rate({series.AGENT_DURATION}_count"
            f'{{{series.AGENT}=~"$agent",{series.ERROR}!=""}}[$__rate_interval]))'
            f" / sum by ({series.AGENT}) (rate({series.AGENT_DURATION}_count{series.CHOSEN_AGENTS}[$__rate_interval]))",
            f"{{{{{series.AGENT}}}}}",
        )
    ],
)

RUNS: Final = Dashboard(
    name="runs",
    title="Runs",
    says="Runs of coding agents: how many, how they end, what is missing, and what a reviewer has to do next.",
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
        Row(title="What to do", panels=[_COUNTS, _TOTAL, _MEDIAN, _LIST]),
        Row(title="Evidence over time", panels=[_STATES, _CHECKS]),
        Row(title="How they go", panels=[_LIFECYCLE, _OUTCOME, _DURATION]),
        Row(title="Findings", panels=[_RULES, _LAYERS]),
        Row(title="Rates", panels=[_RATE, _FAILING]),
    ],
)
