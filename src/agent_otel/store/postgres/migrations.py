"""Brings a database to the newest tables, one step after the other, whoever else is doing the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

from agent_otel.errors import StoreError
from agent_otel.store.postgres.tables import STEPS, Step

OLDEST: Final = 13
"""The oldest major version of PostgreSQL that will do."""

_LOCK: Final = int.from_bytes(b"agntotel", "big") >> 1
"""Names the advisory lock: a number that no other program will think of."""

_CREATE: Final = (
    "CREATE SCHEMA agent_otel",
    "COMMENT ON SCHEMA agent_otel IS 'agent-otel: telemetry of coding agents, and their run records'",
    "CREATE TABLE agent_otel.steps (number integer PRIMARY KEY, done timestamptz NOT NULL DEFAULT now())",
    "COMMENT ON TABLE agent_otel.steps IS 'What was done to the tables: the version of this schema'",
)

# Asked of the catalogue's tables: to_regclass may answer from what this connection remembers.
_THERE: Final = """
    SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'agent_otel'),
        EXISTS (SELECT FROM pg_tables WHERE schemaname = 'agent_otel' AND tablename = 'steps')
"""


def migrate(connection: Connection[TupleRow], steps: Sequence[Step] = STEPS, *, oldest: int = OLDEST) -> None:
    """Brings the database to the newest step. Any number of processes may do so at once.

    A step and the note that it was done are one transaction.

    Raises:
        StoreError: the schema is not ours, or newer than this program; or the server is older than ``oldest``.
    """
    found = connection.info.server_version // 10_000
    if found < oldest:
        message = f"PostgreSQL {oldest} or newer is needed, this is {found}"
        raise StoreError(message)
    while _version(connection, len(steps)) < len(steps):
        with connection.transaction():
            # However long another process takes for it.
            connection.execute("SET LOCAL lock_timeout = 0")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            # Asked again under the lock: another process may have done the step since.
            version = _version(connection, len(steps))
            if version < len(steps):
                for statement in (*(_CREATE if version < 0 else ()), *steps[max(version, 0)]):
                    connection.execute(statement)
                connection.execute("INSERT INTO agent_otel.steps (number) VALUES (%s)", (max(version, 0) + 1,))


def _version(connection: Connection[TupleRow], newest: int) -> int:
    """How many steps were done; -1 where there is no schema yet."""
    schema, table = connection.execute(_THERE).fetchone() or (False, False)
    if not schema:
        return -1
    if not table:
        message = "its schema agent_otel was made by another program"
        raise StoreError(message)
    (version,) = connection.execute("SELECT coalesce(max(number), 0) FROM agent_otel.steps").fetchone() or (0,)
    if version > newest:
        message = f"the database has version {version}, this program reads up to {newest}: upgrade agent-otel"
        raise StoreError(message)
    return int(version)
