"""XML from strangers: no entities, no outside files, bounded depth, and one error for whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Final, NamedTuple

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from agent_otel.errors import DecodeError

DEEPEST: Final = 200
"""Elements inside of each other; reports have a dozen."""


class Step(NamedTuple):
    """The beginning of an element, or its end.

    ``above`` are the names of the elements around it, the outermost first; ``inside`` has, at its end, the names of
    those directly in it. Names are without namespaces.
    """

    ends: bool
    name: str
    attributes: Mapping[str, str]
    above: tuple[str, ...]
    inside: frozenset[str] = frozenset()


def steps(data: bytes) -> Iterator[Step]:
    """The elements of a document as they begin and end; none is kept.

    Raises:
        DecodeError: it is no XML, or XML that no report has: entities of its own, elements too deep.
    """
    try:
        yield from _steps(data)
    except DefusedXmlException as exc:
        message = f"XML with entities of its own is no report: {exc}"
        raise DecodeError(message) from exc
    except (ParseError, LookupError, ValueError) as exc:  # the last two: an encoding that nobody knows, or not its own
        message = f"not XML: {exc}"
        raise DecodeError(message) from exc


def _steps(data: bytes) -> Iterator[Step]:
    names: list[str] = []
    inside: list[set[str]] = [set()]
    for event, element in iterparse(BytesIO(data), events=("start", "end")):
        if event == "start":
            name = element.tag.rpartition("}")[2]
            yield Step(ends=False, name=name, attributes=element.attrib, above=tuple(names))
            inside[-1].add(name)
            names.append(name)
            inside.append(set())
            if len(names) > DEEPEST:
                message = f"XML deeper than {DEEPEST} elements is no report"
                raise DecodeError(message)
        else:
            name, children = names.pop(), frozenset(inside.pop())
            yield Step(ends=True, name=name, attributes=element.attrib, above=tuple(names), inside=children)
            del element[:]


def root(data: bytes) -> Step | None:
    """The beginning of the outermost element; None where there is none, because it is no XML.

    Raises:
        DecodeError: it has entities of its own.
    """
    if not data.lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n").startswith(b"<"):
        return None
    try:
        return next(steps(data), None)
    except DecodeError as exc:
        if isinstance(exc.__cause__, DefusedXmlException):
            raise
        return None
