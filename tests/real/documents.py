"""What a database holds, as what is compared: the bytes of its records, the number of its items."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from msgspec.structs import replace

from agent_otel.compaction.policy import Policy
from agent_otel.model.record import RunRecord, encode
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.fold import fold_groups
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store


def documents(records: Iterable[RunRecord]) -> list[bytes]:
    """The bytes of records, revision aside, in a fixed order."""
    return sorted(encode(replace(record, revision=1)) for record in records)


def documents_of(bodies: Iterable[bytes]) -> list[bytes]:
    """The same of the runs whose spans these requests hold, folded in one go by one process."""
    items = [item for body in bodies for item in items_from_protobuf(body, "span").items]
    return documents(fold_groups(items, policy=Policy()))


def documents_in(db: str) -> list[bytes]:
    """The same of the records in a database."""
    with closing(open_store(db)) as store:
        return documents(store.records(RecordQuery(limit=10_000)))


def items_in(db: str) -> int:
    """How many items are in a database."""
    with closing(open_store(db)) as store:
        return store.stats().items
