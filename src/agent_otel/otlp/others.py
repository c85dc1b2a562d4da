"""Links of what others say of a run, whose id is all that they know of it.

The items of this SDK's runs have that id. The runs of other agents are named after what joins their items, a session or
a trace, and a run inside of one after that and its agent. So what is said of a run carries each link that its id can
stand for: its own items have one of them, and nothing else has the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from agent_otel.model import names
from agent_otel.otlp.links import LONGEST_LINK, link

_UNIQUE: Final = re.compile(r"[^/]*[0-9a-f]{8}(?=/)")
"""What goes before the name of an agent, where a program made it up: others may name many runs ``team/something``."""

_NAMED_AFTER: Final = {"trace-": "trace:", "mcp-": "mcp-client:"}
"""How ids begin that are made of something else than a session, to the link that this makes."""


def links_to_run(attributes: Iterable[KeyValue]) -> tuple[str, ...]:
    """The links of an event that others add to a run, by the id that it names."""
    run_id = next((entry.value.string_value for entry in attributes if entry.key == names.RUN_ID), "")
    outer = _UNIQUE.match(run_id)
    ids = (run_id, outer[0]) if outer else (run_id,)
    made = [link(name, each) for each in ids for name in names.GROUP_KEYS]
    made += [
        prefix + each.removeprefix(start)
        for each in ids
        for start, prefix in _NAMED_AFTER.items()
        if each.startswith(start) and len(each) <= LONGEST_LINK
    ]
    return tuple(dict.fromkeys(filter(None, made)))
