"""The tables of the SQLite store, as numbered steps from nothing to now.

A step and the note that it was done are one transaction. A step that was released is never edited: a change is a new
step at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from agent_otel.errors import StoreError
from agent_otel.store.terms import terms_of_document

APPLICATION_ID: Final = int.from_bytes(b"aOTL", "big")
"""Stands in the header of the file, so that a database of somebody else is not touched."""

Step = tuple[str, ...]

STEPS: Final[tuple[Step, ...]] = (
    (
        # Ids are never used again: who folds a group that was merged away must not write to another one.
        """CREATE TABLE groups (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            items INTEGER NOT NULL DEFAULT 0,
            expired INTEGER NOT NULL DEFAULT 0,
            sequence INTEGER NOT NULL DEFAULT 0,
            folded INTEGER NOT NULL DEFAULT 0,
            newest_ns INTEGER NOT NULL DEFAULT 0,
            dirty_since_ns INTEGER,
            look_again_ns INTEGER,
            claimed_ns INTEGER,
            claimed_until_ns INTEGER,
            attempts INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX groups_dirty ON groups (dirty_since_ns) WHERE dirty_since_ns IS NOT NULL",
        "CREATE INDEX groups_look_again ON groups (look_again_ns) WHERE look_again_ns IS NOT NULL",
        "CREATE INDEX groups_newest ON groups (newest_ns) WHERE items > 0",
        "CREATE TABLE links (link TEXT PRIMARY KEY, group_id INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE INDEX links_group ON links (group_id)",
        # Resources and scopes: thousands of items share one.
        """CREATE TABLE contents (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE,
            content BLOB NOT NULL,
            items INTEGER NOT NULL
        )""",
        # What is large is only ever appended; what is searched is small, and lies together with its group.
        """CREATE TABLE items (
            id INTEGER PRIMARY KEY,
            signal TEXT NOT NULL,
            key TEXT NOT NULL,
            links TEXT NOT NULL,
            resource INTEGER NOT NULL,
            scope INTEGER NOT NULL,
            repaired INTEGER NOT NULL,
            raw BLOB NOT NULL
        )""",
        """CREATE TABLE members (
            group_id INTEGER NOT NULL,
            time_ns INTEGER NOT NULL,
            digest BLOB NOT NULL,
            item INTEGER NOT NULL,
            PRIMARY KEY (group_id, time_ns, digest)
        ) WITHOUT ROWID""",
        """CREATE TABLE records (
            run_id TEXT PRIMARY KEY,
            group_id INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            emitted INTEGER NOT NULL DEFAULT 0,
            waiting_since_ns INTEGER,
            sealed INTEGER NOT NULL DEFAULT 0,
            started TEXT NOT NULL,
            agent TEXT,
            review_state TEXT,
            lifecycle TEXT NOT NULL,
            repository TEXT,
            document BLOB NOT NULL
        )""",
        "CREATE INDEX records_started ON records (started, run_id)",
        *(
            f"CREATE INDEX records_{column} ON records ({column}, started, run_id)"
            for column in ("agent", "review_state", "lifecycle", "repository")
        ),
        """CREATE TABLE findings (
            rule TEXT NOT NULL,
            started TEXT NOT NULL,
            run_id TEXT NOT NULL,
            PRIMARY KEY (rule, started, run_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX findings_run ON findings (run_id)",
        "CREATE INDEX records_group ON records (group_id)",
        "CREATE INDEX records_waiting ON records (waiting_since_ns, run_id) WHERE waiting_since_ns IS NOT NULL",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO counters VALUES ('items', 0), ('groups', 0), ('duplicates', 0), ('expired', 0)",
        # To count a million records takes a while, and is asked for every few seconds.
        "CREATE TABLE lifecycles (lifecycle TEXT PRIMARY KEY, records INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO lifecycles VALUES ('open', 0), ('settled', 0), ('abandoned', 0)",
        """CREATE TRIGGER records_inserted AFTER INSERT ON records BEGIN
            UPDATE lifecycles SET records = records + 1 WHERE lifecycle = NEW.lifecycle;
        END""",
        """CREATE TRIGGER records_updated AFTER UPDATE OF lifecycle ON records BEGIN
            UPDATE lifecycles SET records = records - 1 WHERE lifecycle = OLD.lifecycle;
            UPDATE lifecycles SET records = records + 1 WHERE lifecycle = NEW.lifecycle;
        END""",
        """CREATE TRIGGER records_deleted AFTER DELETE ON records BEGIN
            UPDATE lifecycles SET records = records - 1 WHERE lifecycle = OLD.lifecycle;
        END""",
    ),
    (
        """CREATE TABLE terms (
            term TEXT NOT NULL,
            started TEXT NOT NULL,
            run_id TEXT NOT NULL,
            PRIMARY KEY (term, started, run_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX terms_run ON terms (run_id)",
        "INSERT INTO terms SELECT value, started, run_id FROM records, json_each(terms_of(document))",
    ),
    ("INSERT INTO counters VALUES ('notes', 0)",),
)


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Brings the database to the newest step. Two processes may do so at once.

    Raises:
        StoreError: the database is not ours, or newer than this program.
    """
    connection.create_function("terms_of", 1, lambda document: json.dumps(terms_of_document(document)))
    while _version(connection, len(steps)) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            _step(connection, steps)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _step(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    # Asked again inside the transaction: another process may have done the step since.
    version = _version(connection, len(steps))
    if version < len(steps):
        for statement in steps[version]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _version(connection: sqlite3.Connection, newest: int) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version or application):
        message = "this is a database of another program"
        raise StoreError(message)
    if version > newest:
        message = f"the database has version {version}, this program reads up to {newest}: upgrade agent-otel"
        raise StoreError(message)
    return int(version)
