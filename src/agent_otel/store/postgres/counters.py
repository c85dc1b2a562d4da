"""How much there is and was, counted as it changes: counting a million rows takes a while, and is asked all the time.

The numbers are kept in parts, a row for some of the connections each, so that nobody waits for another one to count.
"""

from __future__ import annotations

from typing import Final, get_args

from psycopg.sql import SQL, Identifier

from agent_otel.model.record import Lifecycle
from agent_otel.store.base import Stats
from agent_otel.store.postgres.database import Session

_LIFECYCLES: Final = get_args(Lifecycle)
_NAMES: Final = ("items", "groups", "duplicates", "expired", "notes", *_LIFECYCLES)

_COUNT: Final = SQL("""
    INSERT INTO agent_otel.counters AS total (shard, {names}) VALUES (pg_backend_pid() %% 32, {values})
    ON CONFLICT (shard) DO UPDATE SET {sums}
""").format(
    names=SQL(", ").join(map(Identifier, _NAMES)),
    values=SQL(", ").join(SQL("%s") for _ in _NAMES),
    sums=SQL(", ").join(SQL("{0} = total.{0} + excluded.{0}").format(Identifier(name)) for name in _NAMES),
)
_READ: Final = SQL("""
    SELECT (SELECT count(*) FROM agent_otel.groups WHERE dirty_since_ns IS NOT NULL), {sums} FROM agent_otel.counters
""").format(sums=SQL(", ").join(SQL("coalesce(sum({}), 0)::bigint").format(Identifier(name)) for name in _NAMES))


def count(connection: Session, **changes: int) -> None:
    """Counts, as the last thing of a transaction: the row may be another connection's, too."""
    if any(changes.values()):
        connection.execute(_COUNT, [changes.get(name, 0) for name in _NAMES])


def read(connection: Session) -> Stats:
    """See ``Store.stats``."""
    due, *counted = connection.execute(_READ).fetchone() or ()
    totals: dict[str, int] = dict(zip(_NAMES, counted, strict=True))
    records = {name: totals.pop(name) for name in _LIFECYCLES}
    return Stats(due=due, records={name: number for name, number in records.items() if number}, **totals)
