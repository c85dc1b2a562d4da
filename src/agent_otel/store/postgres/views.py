"""What dashboards read: runs in columns, and a row for each entry of a record's lists.

Numbers in documents are what senders claim, and may be larger than any integer type.
"""

from __future__ import annotations

from typing import Final


def _entries(field: str, columns: str, comment: str) -> tuple[str, str]:
    """A view of the entries of one list, each with what is needed of its run to filter, group and link by."""
    view = f"""
        CREATE VIEW agent_otel.run_{field} AS
        SELECT run_id, started, records.lifecycle, agent, service, repository, branch, {columns}
        FROM agent_otel.records, jsonb_array_elements(document -> '{field}') AS entry
    """  # noqa: S608 - names of ours
    return view, f"COMMENT ON VIEW agent_otel.run_{field} IS '{comment}'"


VIEWS: Final[tuple[str, ...]] = (
    """CREATE VIEW agent_otel.runs AS SELECT
        r.run_id, r.revision, r.started, r.ended, r.duration_s, r.lifecycle, r.outcome, r.agent, r.service,
        r.repository, r.branch, r.parent_run, r.review_state, r.final_status, r.findings, r.verdicts,
        r.document #>> '{agent,version}' AS agent_version,
        r.document #>> '{agent,models,0}' AS model,
        r.document #>> '{task,objective}' AS objective,
        r.document #>> '{handoff,next_action}' AS next_action,
        r.document #>> '{capture,traces,0}' AS trace_id,
        (r.document #>> '{capture,spans}')::numeric AS spans,
        (r.document #>> '{capture,complete}')::boolean AS complete,
        (r.document #>> '{usage,model_calls}')::numeric AS model_calls,
        (r.document #>> '{usage,input_tokens}')::numeric AS input_tokens,
        (r.document #>> '{usage,output_tokens}')::numeric AS output_tokens,
        jsonb_array_length(r.document -> 'changed_files') AS changed_files,
        jsonb_array_length(r.document -> 'commands') AS commands,
        jsonb_array_length(r.document -> 'failures') AS failures,
        jsonb_array_length(r.document -> 'verifications') AS verifications,
        r.document
    FROM agent_otel.records AS r""",
    "COMMENT ON VIEW agent_otel.runs IS 'Run records, what is asked for most in columns'",
    *_entries(
        "findings",
        "entry ->> 'rule' AS rule, entry ->> 'severity' AS severity, entry ->> 'layer' AS layer,"
        " entry ->> 'message' AS message",
        "A row for each finding",
    ),
    *_entries(
        "verifications",
        "entry ->> 'check' AS \"check\", coalesce((entry ->> 'required')::boolean, false) AS required,"
        " entry ->> 'outcome' AS outcome, entry ->> 'level' AS level, entry ->> 'verdict' AS verdict,"
        " entry ->> 'verdict_reason' AS verdict_reason, entry ->> 'command' AS command",
        "A row for each check, whether it ran, and what that is worth",
    ),
    *_entries(
        "commands",
        "entry ->> 'command' AS command, entry ->> 'result' AS result, (entry ->> 'exit_code')::numeric AS exit_code,"
        " (entry ->> 'duration_s')::double precision AS command_duration_s, entry ->> 'observer' AS observer",
        "A row for each command that was run, or refused",
    ),
    *_entries(
        "failures",
        "entry ->> 'error' AS error, entry ->> 'error_type' AS error_type, entry ->> 'command' AS command,"
        " entry ->> 'tool' AS tool, entry ->> 'suspected_cause' AS suspected_cause,"
        " entry ->> 'resolved_by' AS resolved_by",
        "A row for each failure, and what resolved it",
    ),
    *_entries(
        "tool_calls",
        "entry ->> 'name' AS tool, (entry ->> 'calls')::numeric AS calls,"
        " coalesce((entry ->> 'failed')::numeric, 0) AS failed, coalesce((entry ->> 'denied')::numeric, 0) AS denied,"
        " (entry ->> 'duration_s')::double precision AS tool_duration_s",
        "A row for each tool of a run: how often it was called",
    ),
    """CREATE VIEW agent_otel.run_budgets AS
        SELECT run_id, started, lifecycle, agent, service, repository, branch, budget.key AS budget,
            (budget.value ->> 'limit')::double precision AS "limit",
            (budget.value ->> 'consumed')::double precision AS consumed,
            coalesce((budget.value ->> 'exceeded')::boolean, false) AS exceeded
        FROM agent_otel.records, jsonb_each(document -> 'budgets') AS budget""",
    "COMMENT ON VIEW agent_otel.run_budgets IS 'A row for each budget of a run'",
)
