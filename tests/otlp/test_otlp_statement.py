"""An event in the name of this package, written as a request."""

from __future__ import annotations

from agent_otel.model import names
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement
from agent_otel.otlp.views import view


def test_a_statement_is_read_as_it_was_said() -> None:
    """Texts, numbers and lists; what was not said is left out. Its group is that of its run."""
    said = {names.RUN_ID: "r", "a": 1, "b": 0.5, "c": ("x", "y"), "d": "", "e": None, "f": (), "g": 0}
    body = statement("agent_otel.x", said, time_ns=5, trace_id="a" * 32, span_id="b" * 16)
    (item,) = items_from_protobuf(body, "log").items
    log = view(item)
    assert log.attributes == {names.RUN_ID: "r", "a": 1, "b": 0.5, "c": ("x", "y"), "g": 0}
    assert (log.event_name, log.time_ns, log.scope, log.ref) == (
        "agent_otel.x",
        5,
        names.SCOPE,
        f"{'a' * 32}/{'b' * 16}",
    )
    assert f"{names.RUN_ID}:r" in item.links
