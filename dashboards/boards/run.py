"""One run: its record, laid out. What tables of the other dashboards lead to."""

from __future__ import annotations

from typing import Final

from boards import links, looks
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import POSTGRES, TEMPO, Sql
from boards.variables import ADDRESSES, data_source, textbox

_THIS: Final = "WHERE run_id = ${run_id:sqlstring}"


def _entries(view: str, columns: str) -> Sql:
    return Sql(f"SELECT {columns}, trace_id, run_id FROM agent_otel.{view} {_THIS} ORDER BY position LIMIT 1000")


def _table(title: str, says: str, query: Sql, *, width: int = 24, coloured: tuple[str, ...] = ()) -> Panel:
    look = looks.table(
        links={"run_id": links.RUN}, hidden=["trace_id"], coloured=coloured, units={"duration": "s", "seconds": "s"}
    )
    return Panel(title=title, says=says, look=look, queries=[query], width=width)


_WHAT: Final = _table(
    "The run",
    "What it was asked to do, how it ended, and what comes next.",
    Sql(
        "SELECT started, agent, model, repository, branch, objective, lifecycle, outcome, review_state, final_status,"
        f" coalesce(first_error, next_action) AS next_step, duration_s AS duration, run_id, trace_id"
        f" FROM agent_otel.runs {_THIS}"
    ),
    coloured=("review_state", "lifecycle"),
)
_CHECKS: Final = _table(
    "Checks",
    "Each check, whether it ran, who saw it, and what that is worth.",
    _entries(
        "run_verifications",
        '"check", required, outcome, level, verdict, coalesce(verdict_reason, reason) AS why, added_source',
    ),
    coloured=("verdict",),
)
_FINDINGS: Final = _table(
    "Findings",
    "What the rules say about the record.",
    _entries("run_findings", "severity, rule, layer, message"),
    coloured=("severity",),
)
_COMMANDS: Final = _table(
    "Commands",
    "In the order in which they ran.",
    _entries("run_commands", "command, result, exit_code, command_duration_s AS seconds, observer"),
    coloured=("result",),
)
_FAILURES: Final = _table(
    "Failures",
    "What went wrong, and which command resolved it.",
    _entries("run_failures", "error_type, error, command, suspected_cause, resolved_by"),
)
_CLAIMS: Final = _table(
    "Claims",
    "What the agent said of its own work, and what was seen of it.",
    _entries("run_claims", "statement, kind, verdict, verdict_reason AS why"),
    coloured=("verdict",),
)
_FILES: Final = _table(
    "Changed files",
    "Each with the lines that came and went, and whether it had been read before.",
    Sql(
        "SELECT file ->> 'path' AS path, file ->> 'operation' AS operation, file ->> 'lines_added' AS added,"
        " file ->> 'lines_removed' AS removed, file ->> 'read_before' AS read_before, trace_id, run_id"
        " FROM agent_otel.runs, jsonb_array_elements(document -> 'changed_files') AS file"
        f" {_THIS} ORDER BY 1 LIMIT 1000"
    ),
)

RUN: Final = Dashboard(
    name="run",
    title="One run",
    says="The record of one run: checks and their verdicts, findings, commands, failures, claims, changed files.",
    variables=[
        data_source(POSTGRES),
        data_source(TEMPO),
        textbox("run_id", "Run", "", "The id of a run; links of the other dashboards fill it in"),
        *ADDRESSES,
    ],
    rows=[
        Row(title="What it is worth", panels=[_WHAT, _CHECKS, _FINDINGS]),
        Row(title="What it did", panels=[_COMMANDS, _FAILURES, _CLAIMS, _FILES]),
    ],
)
