"""The shape of the traces: who is below whom. Survives missing parents, and parents that form a ring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from sys import intern

from agent_otel.model.item import Span


class Forest:
    """Spans by reference, parents before children.

    Args:
        spans: one copy of each span by its ``ref``, in a settled order; siblings keep it.

    Attributes:
        spans: the spans by ``ref``, every parent before its children.
        orphans: refs of spans that name a parent nobody has seen.
    """

    def __init__(self, spans: Mapping[str, Span]) -> None:
        self._parent: dict[str, str] = {}
        orphans: list[str] = []
        for ref, span in spans.items():
            if span.parent_id:
                parent = intern(f"{span.trace_id}/{span.parent_id}")  # thousands of children share it
                if parent in spans:
                    self._parent[ref] = parent
                else:
                    orphans.append(ref)
        self.orphans: frozenset[str] = frozenset(orphans)
        self.spans: Mapping[str, Span] = {ref: spans[ref] for ref in self._parents_first(spans)}

    def parent(self, ref: str) -> str | None:
        """The ref of the parent, None for a root, an orphan, or a ref that is no span."""
        return self._parent.get(ref)

    def nearest(self, marked: Collection[str]) -> dict[str, str]:
        """For each span that is marked its own ref, for each below one the ref of the nearest marked ancestor."""
        found: dict[str, str] = {}
        if not marked:
            return found
        parent = self._parent
        for ref in self.spans:
            if ref in marked:
                found[ref] = ref
            elif (above := found.get(parent.get(ref, ""))) is not None:
                found[ref] = above
        return found

    def _parents_first(self, known: Mapping[str, Span]) -> Iterator[str]:
        children: dict[str, list[str]] = defaultdict(list)
        for ref, parent in self._parent.items():
            children[parent].append(ref)
        done: set[str] = set()
        roots = [ref for ref in known if ref not in self._parent]
        # What no root leads to hangs in a ring; each ring is cut at its first member.
        for start in (*roots, *known):
            if start in done:
                continue
            if start in self._parent:
                del self._parent[start]
            waiting = [start]
            while waiting:
                ref = waiting.pop()
                done.add(ref)
                yield ref
                if ref in children:
                    waiting.extend(child for child in reversed(children[ref]) if child not in done)
