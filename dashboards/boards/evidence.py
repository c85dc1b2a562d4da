"""Evidence and quality: what the checks of runs are worth, which no panel of cost and latency tells."""

from __future__ import annotations

from typing import Final

from boards import links, looks
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import POSTGRES, TEMPO, Sql
from boards.variables import ADDRESSES, NONE, WITHIN, column, data_source

_EACH_VERDICT: Final = ", ".join(f"count(*) FILTER (WHERE verdict = '{name}') AS {name}" for name in looks.VERDICTS)

_STANDING: Final = Panel(
    title="Required checks by verdict",
    says="What the required checks of all runs are worth. Only proved is evidence: the check was seen to pass on the"
    " very tree that the run left behind.",
    look=looks.stat(colours=looks.VERDICTS),
    queries=[Sql(f"SELECT {_EACH_VERDICT} FROM agent_otel.run_verifications WHERE required AND {WITHIN}")],
    width=16,
    height=5,
)
_PROVED: Final = Panel(
    title="Required checks that are proved",
    says="Of all required checks of the runs.",
    look=looks.stat("percentunit", steps=looks.above(red=None, orange=0.8, green=0.95)),
    queries=[
        Sql(
            "SELECT count(*) FILTER (WHERE verdict = 'proved') / nullif(count(*), 0)::float AS proved"
            f" FROM agent_otel.run_verifications WHERE required AND {WITHIN}"
        )
    ],
    width=4,
    height=5,
)
_DONE: Final = Panel(
    title="Runs that are done",
    says="Of the runs that ended: every required check is proved, and nothing else speaks against them.",
    look=looks.stat("percentunit", steps=looks.above(red=None, orange=0.5, green=0.8)),
    queries=[
        Sql(
            "SELECT count(*) FILTER (WHERE review_state = 'done') / nullif(count(*), 0)::float AS done"
            f" FROM agent_otel.runs WHERE lifecycle <> 'open' AND {WITHIN}"
        )
    ],
    width=4,
    height=5,
)
_OVER_TIME: Final = Panel(
    title="Verdicts over time",
    says="All checks, required or not, by the start of their run.",
    look=looks.bars(colours=looks.VERDICTS),
    queries=[
        Sql(
            'SELECT $__timeGroupAlias(started, $__interval), verdict AS metric, count(*) AS "value"'
            f" FROM agent_otel.run_verifications WHERE verdict IS NOT NULL AND {WITHIN} GROUP BY 1, 2 ORDER BY 1, 2",
            over_time=True,
        )
    ],
    interval="5m",
)
_STALE: Final = Panel(
    title="Staleness",
    says="Of the checks that passed, the part that had passed on another tree than the final one, by repository.",
    look=looks.lines("percentunit", most=1),
    queries=[
        Sql(
            f"SELECT $__timeGroupAlias(started, $__interval), coalesce(repository, '(none)') AS metric,"
            " count(*) FILTER (WHERE verdict = 'stale')::float / count(*) AS \"value\""
            f" FROM agent_otel.run_verifications WHERE verdict IN ('proved', 'stale') AND {WITHIN}"
            " GROUP BY 1, 2 ORDER BY 1, 2",
            over_time=True,
        )
    ],
    interval="5m",
)
_COVERAGE: Final = Panel(
    title="Verification coverage by repository and agent",
    says="Of the runs that changed files: in how many a check was proved, and what the required ones are worth.",
    look=looks.table(
        units={"with_proof": "percentunit", "required_proved": "percentunit"},
    ),
    queries=[
        Sql(
            "SELECT coalesce(repository, '(none)') AS repository, coalesce(agent, '(none)') AS agent,"
            " count(*) AS runs_with_changes,"
            " count(*) FILTER (WHERE 'proved' = ANY(verdicts))::float / count(*) AS with_proof,"
            " sum(required)::int AS required_checks,"
            " (sum(required_proved) / nullif(sum(required), 0))::float AS required_proved,"
            " count(*) FILTER (WHERE 'stale' = ANY(verdicts)) AS runs_with_stale,"
            " count(*) FILTER (WHERE 'contradicted' = ANY(verdicts)) AS runs_with_contradicted"
            " FROM agent_otel.runs CROSS JOIN LATERAL ("
            "SELECT count(*) FILTER (WHERE entry ->> 'required' = 'true') AS required,"
            " count(*) FILTER (WHERE entry ->> 'required' = 'true' AND entry ->> 'verdict' = 'proved')"
            " AS required_proved"
            " FROM jsonb_array_elements(document -> 'verifications') AS entry) AS checks"
            f" WHERE changed_files > 0 AND {WITHIN} GROUP BY 1, 2 ORDER BY 4, 3 DESC LIMIT 100"
        )
    ],
    width=24,
)
_CHECKS: Final = Panel(
    title="The checks that prove least",
    says="Required or declared checks, those first that were not proved most often.",
    look=looks.ranking(colours=looks.VERDICTS),
    queries=[
        Sql(
            f'SELECT left("check", 60) AS "check", {_EACH_VERDICT} FROM agent_otel.run_verifications'
            f" WHERE NOT derived AND {WITHIN} GROUP BY 1"
            " ORDER BY count(*) FILTER (WHERE verdict <> 'proved') DESC, 1 LIMIT 15"
        )
    ],
    height=10,
)
_CLAIMS: Final = Panel(
    title="Claims against evidence",
    says="What agents say of their own work, by the kind of check and by what was seen of it.",
    look=looks.ranking(colours=looks.VERDICTS),
    queries=[
        Sql(f"SELECT kind, {_EACH_VERDICT} FROM agent_otel.run_claims WHERE {WITHIN} GROUP BY 1 ORDER BY 1"),
    ],
    height=10,
)
_UNTRUE: Final = Panel(
    title="Claims that do not hold",
    says="What was said, and what speaks against it; the latest first.",
    look=looks.table(
        links={"run_id": links.RUN}, hidden=["trace_id"], coloured=["verdict"], widths={"started": 170, "verdict": 110}
    ),
    queries=[
        Sql(
            "SELECT started, run_id, agent, verdict, statement, verdict_reason AS why, trace_id"
            f" FROM agent_otel.run_claims WHERE verdict <> 'proved' AND {WITHIN} ORDER BY started DESC LIMIT 100"
        )
    ],
    width=24,
)
_MISSING: Final = Panel(
    title="Required checks without proof",
    says="Where a reviewer has to look: each required check that is not proved, why, and its run; the latest first.",
    look=looks.table(
        links={"run_id": links.RUN}, hidden=["trace_id"], coloured=["verdict"], widths={"started": 170, "verdict": 110}
    ),
    queries=[
        Sql(
            "SELECT started, run_id, coalesce(repository, '(none)') AS repository, agent, \"check\", verdict,"
            " coalesce(verdict_reason, reason) AS why, trace_id FROM agent_otel.run_verifications"
            f" WHERE required AND verdict IS DISTINCT FROM 'proved' AND {WITHIN} ORDER BY started DESC LIMIT 100"
        )
    ],
    width=24,
)
_LEVELS: Final = Panel(
    title="Who saw the checks",
    says="Claimed by the agent, observed by the harness, bound to a report, attested by somebody else.",
    look=looks.bars(),
    queries=[
        Sql(
            "SELECT $__timeGroupAlias(started, $__interval), coalesce(level, 'nobody') AS metric,"
            f' count(*) AS "value" FROM agent_otel.run_verifications WHERE {WITHIN} GROUP BY 1, 2 ORDER BY 1, 2',
            over_time=True,
        )
    ],
    interval="5m",
)
_FAILURES: Final = Panel(
    title="The ten most frequent failures",
    says="By fingerprint: the same failure in any run, of any agent; `agent-otel runs --fingerprint` lists the runs.",
    look=looks.table(widths={"runs": 70, "times": 70, "resolved": 90, "last_seen": 170, "fingerprint": 150}),
    queries=[
        Sql(
            "SELECT fingerprint, count(DISTINCT run_id) AS runs, count(*) AS times, count(resolved_by) AS resolved,"
            " max(started) AS last_seen, min(left(coalesce(error, command, tool, error_type), 160)) AS example"
            f" FROM agent_otel.run_failures WHERE fingerprint IS NOT NULL AND {WITHIN}"
            " GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 1 LIMIT 10"
        )
    ],
)
_REGRESSIONS: Final = Panel(
    title="Regressions after the handoff",
    says="Runs whose checks passed and failed on the same state later, in CI or on the merge of it.",
    look=looks.table(links={"run_id": links.RUN}, hidden=["trace_id"], widths={"started": 170}),
    queries=[
        Sql(
            f"SELECT started, run_id, coalesce(repository, '{NONE}') AS repository, agent, layer, message, trace_id"
            f" FROM agent_otel.run_findings WHERE rule = 'post-handoff-regression' AND {WITHIN}"
            " ORDER BY started DESC, run_id LIMIT 100"
        )
    ],
)
_LATER: Final = Panel(
    title="Evidence that came after the handoff",
    says="What others brought, such as CI: from where, by whom, and what it is worth; the latest first.",
    look=looks.table(links={"run_id": links.RUN}, hidden=["trace_id"], coloured=["verdict"], widths={"added_at": 200}),
    queries=[
        Sql(
            'SELECT added_at, added_source, added_by, run_id, agent, "check", outcome, level, verdict, trace_id'
            f" FROM agent_otel.run_verifications WHERE added_source IS NOT NULL AND {WITHIN}"
            " ORDER BY added_at DESC, run_id LIMIT 100"
        )
    ],
)

EVIDENCE: Final = Dashboard(
    name="evidence",
    title="Evidence and quality",
    says="What the checks of coding agents' runs are worth: proved, stale, contradicted, claimed, never run.",
    variables=[
        data_source(POSTGRES),
        data_source(TEMPO),
        column("repository"),
        column("agent"),
        *ADDRESSES,
    ],
    rows=[
        Row(title="What holds", panels=[_STANDING, _PROVED, _DONE, _MISSING]),
        Row(title="After the handoff", panels=[_REGRESSIONS, _LATER]),
        Row(title="Over time", panels=[_OVER_TIME, _STALE, _LEVELS, _FAILURES]),
        Row(title="Where", panels=[_COVERAGE, _CHECKS, _CLAIMS, _UNTRUE]),
    ],
)
