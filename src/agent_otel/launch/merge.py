"""How a variable of ours and one of the user become one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Merge = Callable[[str, str], str]
"""Gives the value of a variable from the user's ("" where it is not set) and ours."""


def json_into(theirs: str, ours: str) -> str:
    """A JSON object with all of theirs and what ours adds; theirs alone where it is no object, or says it already."""
    try:
        known = json.loads(theirs or "{}")
    except ValueError:
        return theirs
    return json.dumps(_joined(known, json.loads(ours))) if isinstance(known, dict) else theirs


def _joined(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    joined = {**ours, **theirs}
    for name in theirs.keys() & ours.keys():
        if isinstance(theirs[name], dict) and isinstance(ours[name], dict):
            joined[name] = _joined(theirs[name], ours[name])
    return joined
