"""Messages in numbered attributes: ``gen_ai.prompt.0.content``, ``gen_ai.completion.0.tool_calls.1.name``.

OpenLLMetry's before its version 0.50, and those of its relatives.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from agent_otel.compaction.reading import messages
from agent_otel.compaction.reading.messages import Message

_KEY: Final = re.compile(r"([0-9]{1,6})\.(?:(tool_calls)\.([0-9]{1,6})\.|(function_call)\.)?(\w+)")


def indexed_messages(attributes: Mapping[str, Any], prefix: str, role: str = "") -> list[Message]:
    """The messages under a prefix, in order; ``role`` is who speaks where a message does not say."""
    fields: dict[int, dict[str, Any]] = defaultdict(dict)
    calls: dict[int, dict[int, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for key, value in attributes.items():
        if not key.startswith(prefix) or (match := _KEY.fullmatch(key, len(prefix))) is None:
            continue
        number = int(match[1])
        if match[2] or match[4]:
            calls[number][int(match[3] or 0)][match[5]] = value
        else:
            fields[number][match[5]] = value
    told = [
        {"role": role, **fields[number], "tool_calls": [call for _, call in sorted(calls[number].items())]}
        for number in sorted({*fields, *calls})
    ]
    return messages.parse(told)
