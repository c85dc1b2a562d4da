"""Files of evidence, as events name them: path, digest and size, never content."""

from __future__ import annotations

import re
from typing import Final

from agent_otel.compaction.reading.values import count, mapping, text, texts
from agent_otel.model.record import EvidenceFile

_DIGEST: Final = re.compile("[0-9a-f]{64}")


def evidence_files(value: object) -> tuple[EvidenceFile, ...]:
    """The files among evidence; a digest that is none is left out, so that nothing is bound by it."""
    return tuple(
        EvidenceFile(
            path=path,
            sha256=said if _DIGEST.fullmatch(said := text(entry.get("sha256"))) else None,
            bytes=count(entry.get("bytes")),
            modified=text(entry.get("modified")) or None,
        )
        for entry in map(mapping, texts(value))
        if (path := text(entry.get("path")))
    )
