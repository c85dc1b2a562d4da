"""Links of what is about a state of the code: results of pipelines and tests, and notes of runs that left that state.

Looked for only where a few words occur in the bytes, so that it costs nothing to anybody else. The agents that work on
a commit say the same of it in their resources, and are not joined by it: of one commit there may be thousands of runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from agent_otel.model import names

_RESULTS: Final = frozenset(
    (names.CICD_PIPELINE_RESULT, names.CICD_TASK_RESULT, names.TEST_SUITE_RUN_STATUS, names.TEST_CASE_STATUS)
)
_REVISION: Final = names.VCS_REF_REVISION.encode()
_WORDS: Final = (b"cicd.pipeline.", b"test.")
_PREFIXES: Final = {
    names.VCS_REF_REVISION: "commit",
    names.EVIDENCE_COMMIT: "commit",
    names.EVIDENCE_MERGE_OF: "commit",
    names.EVIDENCE_TREE: "tree",
}
_ID: Final = re.compile("[0-9A-Za-z._/@-]{1,200}")


def states_of(attributes: Iterable[KeyValue]) -> tuple[str, ...]:
    """The links of the states that these attributes name."""
    return tuple(dict.fromkeys(_links(attributes)))


def links_by_state(attributes: Iterable[KeyValue], raw: bytes, around: tuple[str, ...]) -> tuple[str, ...]:
    """The links of somebody's result about a state of the code, by its revision or its process; () for anything else.

    Args:
        attributes: of the item.
        raw: the item as it is written canonically.
        around: the links of the states that its resource names.
    """
    if not (around or _REVISION in raw) or not any(word in raw for word in _WORDS):
        return ()
    entries = list(attributes)
    return tuple(dict.fromkeys((*_links(entries), *around))) if any(entry.key in _RESULTS for entry in entries) else ()


def _links(attributes: Iterable[KeyValue]) -> Iterator[str]:
    for entry in attributes:
        kind = _PREFIXES.get(entry.key)
        if kind is not None and _ID.fullmatch(value := entry.value.string_value):
            yield f"{kind}:{value}"
