"""The dialect: what pipelines and test runners say is recognised, and makes no run.

What it is evidence of is told in ``compaction.evidence.pipelines``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.compaction.dialects.base import Place, Sighting
from agent_otel.compaction.tree import Forest
from agent_otel.model.item import Log, Span

_OURS: Final = ("cicd.", "test.")


class Cicd:
    """Reads the conventions for pipelines and tests."""

    name = "cicd"
    about = "pipelines and test runners (cicd.*, test.*): evidence for the runs that left the same commit or tree"
    scopes = ()

    def claims(self, item: Span | Log) -> bool:
        """What says something of a pipeline or a test, itself or by its process, and nobody else wants."""
        return any(name.startswith(_OURS) for said in (item.attributes, item.resource) for name in said)

    def place(self, item: Span | Log) -> Place | None:  # noqa: ARG002 - the protocol's
        """None: it belongs to no run."""
        return None

    def backdrop(self, item: Span | Log) -> bool:  # noqa: ARG002 - the protocol's
        """All of it."""
        return True

    def read(self, items: Sequence[Span | Log], forest: Forest) -> Iterator[Sighting]:  # noqa: ARG002 - the protocol's
        """Nothing that an agent did."""
        return iter(())
