"""What others say of a run is joined to it, whatever its own items are joined by."""

from __future__ import annotations

import pytest

from agent_otel.model import names
from agent_otel.otlp.links import LONGEST_LINK
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement

TRACE = "0af7651916cd43dd8448eb211c80319c"
SESSION = "b355dc84-4650-4f3c-8adf-7c0858caf5ef"
AFTER_KEYS = {name for name in names.GROUP_KEYS if name != names.RUN_PARENT}


def links(run_id: str, *, event: str = names.NEAR_MISS) -> set[str]:
    """The links of what is said of a run."""
    (item,) = items_from_protobuf(statement(event, {names.RUN_ID: run_id}, time_ns=1), "log").items
    return set(item.links)


def of(*run_ids: str) -> set[str]:
    """The links of all keys by which runs are named."""
    return {f"{name}:{run_id}" for name in AFTER_KEYS for run_id in run_ids}


@pytest.mark.parametrize("event", names.SAID_BY_OTHERS)
@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("r", of("r")),
        (SESSION, of(SESSION)),
        (f"{SESSION}/ac4c", of(f"{SESSION}/ac4c", SESSION)),
        (f"trace-{TRACE}", {*of(f"trace-{TRACE}"), f"trace:{TRACE}"}),
        (f"trace-{TRACE}/b/c", {*of(f"trace-{TRACE}", f"trace-{TRACE}/b/c"), f"trace:{TRACE}", f"trace:{TRACE}/b/c"}),
        (f"mcp-{SESSION}", {*of(f"mcp-{SESSION}"), f"mcp-client:{SESSION}"}),
        ("team/fixer", of("team/fixer")),
        ("/x", of("/x")),
    ],
)
def test_a_run_is_named_by_its_id_its_session_or_its_trace(run_id: str, event: str, expected: set[str]) -> None:
    """And a run inside of one after that, where the first part of its id was made up by a program."""
    assert links(run_id, event=event) == expected


@pytest.mark.parametrize("run_id", ["", "x" * (LONGEST_LINK + 1), "trace-" + "0" * LONGEST_LINK])
def test_what_names_no_run_joins_nothing(run_id: str) -> None:
    """It is kept by what sent it, as any item is."""
    assert all(link.startswith("resource:") for link in links(run_id))


def test_other_events_are_joined_by_what_they_name() -> None:
    """Whatever a run says of itself."""
    assert links("r", event=names.RISK_NOTED) == {f"{names.RUN_ID}:r"}
