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


def _listed(field: str, columns: str, comment: str, *, source: str = "", last: str = "") -> tuple[str, str]:
    """A view of the entries of a list in their order, each with the trace and span to look at.

    Args:
        field: the list of the record.
        columns: of the view, made of ``entry``, the value, and ``position``.
        comment: what the view is.
        source: more to join to the entries.
        last: columns that came later.
    """
    view = f"""
        CREATE OR REPLACE VIEW agent_otel.run_{field} AS
        SELECT run_id, started, records.lifecycle, agent, service, repository, branch, {columns},
            coalesce(split_part(entry ->> 'span', '/', 1), document #>> '{{capture,traces,0}}') AS trace_id,
            split_part(entry ->> 'span', '/', 2) AS span_id, position{last}
        FROM agent_otel.records,
            jsonb_array_elements(document -> '{field}') WITH ORDINALITY AS list (entry, position) {source}
    """  # noqa: S608 - names of ours
    return view, f"COMMENT ON VIEW agent_otel.run_{field} IS '{comment}'"


_FINDINGS: Final = (
    "entry ->> 'rule' AS rule, entry ->> 'severity' AS severity, entry ->> 'layer' AS layer,"
    " entry ->> 'message' AS message"
)
_FAILURES: Final = (
    "entry ->> 'error' AS error, entry ->> 'error_type' AS error_type, entry ->> 'command' AS command,"
    " entry ->> 'tool' AS tool, entry ->> 'suspected_cause' AS suspected_cause,"
    " entry ->> 'resolved_by' AS resolved_by, entry ->> 'source' AS source"
)
_VERIFICATIONS: Final = (
    "entry ->> 'check' AS \"check\", coalesce((entry ->> 'required')::boolean, false) AS required,"
    " entry ->> 'outcome' AS outcome, entry ->> 'level' AS level, entry ->> 'verdict' AS verdict,"
    " entry ->> 'verdict_reason' AS verdict_reason, entry ->> 'command' AS command, entry ->> 'kind' AS kind,"
    " coalesce((entry ->> 'derived')::boolean, false) AS derived, entry ->> 'reason' AS reason"
)
_ADDED: Final = (
    ", entry #>> '{added,source}' AS added_source, entry #>> '{added,by}' AS added_by,"
    " entry #>> '{added,at}' AS added_at"
)
_FINGERPRINT: Final = ", entry ->> 'fingerprint' AS fingerprint"

# A view can only get more columns at its end: those before stay in the order they had.
PANELS: Final[tuple[str, ...]] = (
    """CREATE OR REPLACE VIEW agent_otel.runs AS SELECT
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
        r.document,
        (r.document #>> '{usage,failed_model_calls}')::numeric AS failed_model_calls,
        (r.document #>> '{usage,cache_read_tokens}')::numeric AS cache_read_tokens,
        (r.document #>> '{usage,cost_usd}')::double precision AS cost_usd,
        r.document #>> '{agent,dialect}' AS dialect,
        jsonb_path_query_first(r.document, '$.findings[*] ? (@.severity == "error").message') #>> '{}' AS first_error
    FROM agent_otel.records AS r""",
    "COMMENT ON COLUMN agent_otel.runs.first_error IS 'what the first finding says that is an error'",
    *_listed("findings", _FINDINGS, "A row for each finding"),
    *_listed("verifications", _VERIFICATIONS, "A row for each check, whether it ran, and what that is worth"),
    *_listed(
        "commands",
        "entry ->> 'command' AS command, entry ->> 'result' AS result, (entry ->> 'exit_code')::numeric AS exit_code,"
        " (entry ->> 'duration_s')::double precision AS command_duration_s, entry ->> 'observer' AS observer",
        "A row for each command that was run, or refused",
    ),
    *_listed("failures", _FAILURES, "A row for each failure, and what resolved it"),
    *_listed(
        "gates",
        "entry ->> 'tool' AS tool, entry ->> 'outcome' AS outcome, entry ->> 'policy' AS policy,"
        " entry ->> 'reason' AS reason",
        "A row for each decision on whether a call may happen",
    ),
    *_listed(
        "claims",
        "statement ->> 'kind' AS kind, statement ->> 'text' AS statement, statement ->> 'verdict' AS verdict,"
        " statement ->> 'verdict_reason' AS verdict_reason, entry ->> 'text' AS claim",
        "A row for each success that a run states of itself, held against what was seen",
        source="CROSS JOIN jsonb_array_elements(entry -> 'statements') AS statement",
    ),
)
"""What panels of the dashboards need besides."""

FINGERPRINTS: Final[tuple[str, ...]] = (
    *_listed("findings", _FINDINGS, "A row for each finding", last=_FINGERPRINT),
    *_listed("failures", _FAILURES, "A row for each failure, and what resolved it", last=_FINGERPRINT),
)
"""The views that tell which failures are the same; known of a run once it is folded again."""

ADDED: Final[tuple[str, ...]] = _listed(
    "verifications", _VERIFICATIONS, "A row for each check, whether it ran, and what that is worth", last=_ADDED
)
"""The view that tells who brought evidence after the handoff, and when."""
