"""Configurations of collector-config/ as documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from real.configured import CONFIGS

NAMES: Final = sorted(path.name for path in CONFIGS.glob("*.yaml") if path.name != "builder.yaml")
OVERLAYS: Final = ("redaction.yaml",)
WHOLE: Final = [name for name in NAMES if name not in OVERLAYS]
"""Those that a collector runs with by themselves."""

KINDS: Final = ("extensions", "receivers", "processors", "connectors", "exporters")


def document(name: str) -> dict[str, Any]:
    """A configuration, as YAML reads it."""
    read: dict[str, Any] = yaml.safe_load((CONFIGS / name).read_text(encoding="utf-8"))
    return read


def head(name: str) -> str:
    """The comment at its beginning."""
    lines = (CONFIGS / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))])


def components(name: str) -> Iterator[tuple[str, str]]:
    """Kind and type of each component that a configuration has."""
    for kind in KINDS:
        for identity in document(name).get(kind, {}):
            yield kind, identity.partition("/")[0]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value with its place."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, str(key)))
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, path)
    else:
        yield path, value
