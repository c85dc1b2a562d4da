"""The shape of the traces: who is below whom. Survives missing parents, and parents that form a ring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from agent_otel.model.item import Span

T = TypeVar("T")


class Forest:
    """Spans by reference, parents before children.

    Args:
        spans: one copy of each span, in a settled order; siblings keep it.

    Attributes:
        spans: the spans by ``ref``, every parent before its children.
        orphans: refs of spans that name a parent nobody has seen.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        known = {span.ref: span for span in spans}
        self.orphans: frozenset[str] = frozenset(
            ref for ref, span in known.items() if span.parent_id and f"{span.trace_id}/{span.parent_id}" not in known
        )
        self._parent = {
            ref: f"{span.trace_id}/{span.parent_id}"
            for ref, span in known.items()
            if span.parent_id and ref not in self.orphans
        }
        self.spans: Mapping[str, Span] = {ref: known[ref] for ref in self._parents_first(known)}

    def parent(self, ref: str) -> str | None:
        """The ref of the parent, None for a root, an orphan, or a ref that is no span."""
        return self._parent.get(ref)

    def inherit(self, own: Callable[[Span], T | None]) -> dict[str, T]:
        """For each span what ``own`` says of it, or of its nearest ancestor of which it says something."""
        found: dict[str, T] = {}
        for ref, span in self.spans.items():
            said = own(span)
            if said is None:
                said = found.get(self._parent.get(ref, ""))
            if said is not None:
                found[ref] = said
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
                waiting.extend(child for child in reversed(children[ref]) if child not in done)
