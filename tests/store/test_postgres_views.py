"""What dashboards read from PostgreSQL says what the records say."""

from __future__ import annotations

import re
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from agent_otel.model.record import (
    Budget,
    Capture,
    Command,
    Failure,
    Finding,
    Handoff,
    Task,
    ToolCalls,
    Usage,
    Verification,
)
from agent_otel.store.base import Folded
from agent_otel.store.postgres.store import PostgresStore

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")

RUN = {"run_id": "run", "lifecycle": "settled", "agent": "fixer", "service": None, "repository": "app", "branch": None}


@pytest.fixture
def query(postgres_emptied, clock, item, record):
    """Rows of a query, as dicts, in a database with a run that has everything and one that has next to nothing."""
    whole = record(
        "run",
        agent="fixer",
        repository="app",
        started="2026-05-18T09:12:03.120Z",
        ended="2026-05-18T09:12:05.120Z",
        duration_s=2.0,
        review_state="failing",
        final_status="patch",
        task=Task(objective="fix it"),
        usage=Usage(model_calls=3, input_tokens=2**70, output_tokens=5),
        verifications=(
            Verification(id="v1", check="e2e", outcome="pass", level="observed", verdict="proved", required=True),
            Verification(id="v2", check="lint", outcome="unknown"),
        ),
        commands=(Command(id="c1", command="make", result="failed", exit_code=2, duration_s=1.5, observer="harness"),),
        failures=(Failure(id="f1", error="boom", command="make", resolved_by="c2", fingerprint="command:make:.:ab"),),
        tool_calls=(ToolCalls(name="bash", calls=4, failed=1), ToolCalls(name="edit", calls=1, denied=1)),
        budgets={"steps": Budget(limit=40, consumed=41, exceeded=True), "tokens": Budget(consumed=7)},
        handoff=Handoff(next_action="run e2e in CI"),
        findings=(Finding(rule="stale", severity="error", message="m", layer="runway"),),
        capture=Capture(traces=("ab",), spans=9, complete=True),
    )
    with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
        store.put([item("a")])
        (group,) = store.due(now_ns=clock.now_ns)
        store.save([Folded(group=group, sequence=1, records=[whole, record("empty")])])

    def rows(statement):
        with psycopg.connect(postgres_emptied, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(statement).fetchall()

    return rows


def test_runs_are_rows(query):
    """What is asked for most stands in columns; what was not recorded is NULL; counts have no upper end."""
    empty, whole = query("SELECT * FROM agent_otel.runs ORDER BY run_id")
    expected = {
        **RUN,
        "duration_s": 2.0,
        "review_state": "failing",
        "final_status": "patch",
        "findings": ["stale"],
        "verdicts": ["proved"],
        "objective": "fix it",
        "next_action": "run e2e in CI",
        "trace_id": "ab",
        "spans": 9,
        "complete": True,
        "model_calls": 3,
        "input_tokens": Decimal(2**70),
        "commands": 1,
        "failures": 1,
        "verifications": 2,
        "changed_files": 0,
    }
    assert {name: whole[name] for name in expected} == expected
    assert (empty["run_id"], empty["started"], empty["objective"], empty["commands"]) == ("empty", None, None, 0)
    assert empty["input_tokens"] is None


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        (
            "run_findings",
            [{"rule": "stale", "severity": "error", "layer": "runway", "message": "m", "fingerprint": None}],
        ),
        (
            "run_verifications",
            [
                {"check": "e2e", "required": True, "outcome": "pass", "level": "observed", "verdict": "proved"},
                {"check": "lint", "required": False, "outcome": "unknown", "level": None, "verdict": None},
            ],
        ),
        ("run_commands", [{"command": "make", "result": "failed", "exit_code": 2, "command_duration_s": 1.5}]),
        (
            "run_failures",
            [{"error": "boom", "command": "make", "resolved_by": "c2", "fingerprint": "command:make:.:ab"}],
        ),
        ("run_tool_calls", [{"tool": "bash", "calls": 4, "failed": 1}, {"tool": "edit", "calls": 1, "denied": 1}]),
        (
            "run_budgets",
            [
                {"budget": "steps", "limit": 40.0, "consumed": 41.0, "exceeded": True},
                {"budget": "tokens", "limit": None, "consumed": 7.0, "exceeded": False},
            ],
        ),
    ],
)
def test_entries_are_rows_beside_their_run(query, view, columns):
    """Each with what is needed of its run to filter and group by."""
    rows = query(f"SELECT * FROM agent_otel.{view} ORDER BY run_id, 9")
    assert len(rows) == len(columns)
    by_content = sorted(rows, key=repr)
    for row, expected in zip(by_content, sorted(columns, key=repr), strict=True):
        for name, value in {**RUN, **expected}.items():
            assert row[name] == value


def test_every_table_and_view_says_what_it_is(query):
    """In the database itself, where people look."""
    rows = query(
        "SELECT relname, obj_description(c.oid) AS said FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'agent_otel' AND relkind IN ('r', 'v')"
    )
    assert [row["relname"] for row in rows if not row["said"]] == []


def test_the_sql_of_the_readme_runs(query, postgres_emptied):
    """A reader's rights suffice for it, and give nothing of the telemetry itself."""
    (block,) = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    grants, asked = block.rsplit("\n\n", 1)
    with psycopg.connect(postgres_emptied) as connection:
        connection.execute("CREATE ROLE grafana")
        connection.execute(grants)
        connection.execute("SET ROLE grafana")
        assert connection.execute(asked.replace("7 days", "100 years")).fetchall() == [("fixer", 1, 1)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT raw FROM agent_otel.items")
        connection.rollback()
