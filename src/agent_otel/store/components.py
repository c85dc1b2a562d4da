"""Connected components: which sets of links belong together, given the groups that are known already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from agent_otel.store.base import GroupId

Links = tuple[str, ...]
_Node = str | GroupId


def components(sets: Iterable[Links], known: Mapping[str, GroupId]) -> Iterable[list[Links]]:
    """The sets of links, those together that share a link or a known group, directly or through others."""
    parents: dict[_Node, _Node] = {}
    for links in sets:
        nodes: list[_Node] = [*links, *(known[link] for link in links if link in known)]
        first = _root(parents, nodes[0])
        for node in nodes:
            parents[_root(parents, node)] = first
    found: dict[_Node, list[Links]] = defaultdict(list)
    for links in sets:
        found[_root(parents, links[0])].append(links)
    return found.values()


def _root(parents: dict[_Node, _Node], node: _Node) -> _Node:
    """Who stands for all that the node was joined with; the way there is halved, so that the next one is short."""
    while (parent := parents.setdefault(node, node)) != node:
        parents[node] = parents[parent]
        node = parent
    return node
