"""Records as what is compared: their bytes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from agent_otel.compaction.policy import Policy
from agent_otel.model.record import RunRecord, encode
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.service.fold import fold_groups


def documents(records: Iterable[RunRecord]) -> list[bytes]:
    """The bytes of records, revision aside, in a fixed order."""
    return sorted(encode(replace(record, revision=1)) for record in records)


def documents_of(bodies: Iterable[bytes]) -> list[bytes]:
    """The same of the runs whose spans these requests hold, folded in one go by one process."""
    items = [item for body in bodies for item in items_from_protobuf(body, "span").items]
    return documents(fold_groups(items, policy=Policy()))
