"""The task contract: what the harness, not the prompt, demands of a run (requirements.md §4)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from agent_otel.errors import SettingsError, suggestion
from agent_otel.model.record import Severity

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PYPROJECT: Final = frozenset(("tool", "project", "build-system"))
"""Tables by which a ``pyproject.toml`` is known; a contract has no such keys."""

_MOST: Final = 10_000
"""The largest threshold that means anything."""


class RequiredCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A check that must have run on the final tree.

    ``command`` is a glob over the whole command line (``fnmatch`` rules); without one, a verification counts when its
    name is ``name``. ``paths`` are globs of files: the check is demanded only of runs that changed one of them.
    """

    name: str
    command: str | None = None
    paths: tuple[str, ...] = ()


class Budgets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Limits of a run; absent means unlimited. ``wall_time`` is in seconds."""

    steps: int | None = None
    tokens: int | None = None
    tool_calls: int | None = None
    wall_time: float | None = None

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            limit = getattr(self, name)
            if limit is not None and limit < 0:
                message = f"budget {name!r} must not be negative, got {limit}"
                raise SettingsError(message)


class RuleChoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which findings an audit counts, and how much.

    ``select`` names the only rules that count; empty means all. ``ignore`` has rules that do not, each with the reason;
    ``severity`` has rules whose findings are as bad as it says, instead of what the rule says.
    """

    select: tuple[str, ...] = ()
    ignore: dict[str, str] = {}
    severity: dict[str, Severity] = {}

    def __post_init__(self) -> None:
        for name, reason in self.ignore.items():
            if not reason.strip():
                message = f"rules.ignore: {name!r} needs a reason, got {reason!r}"
                raise SettingsError(message)

    @property
    def named(self) -> tuple[str, ...]:
        """The rules that it names, in the order of the file."""
        return (*self.select, *self.ignore, *self.severity)


class Incidents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """When a failure deserves a post-mortem, and all of them a review.

    ``redo_hours`` is how long a redo takes that does; ``recurrence`` how often the same failure comes back within
    ``window_days``. ``review_days`` is how long after a review the next one is due.
    """

    redo_hours: float = 1.0
    recurrence: int = 2
    window_days: int = 14
    review_days: int = 90

    def __post_init__(self) -> None:
        least = {"redo_hours": 0.0, "recurrence": 2, "window_days": 1, "review_days": 1}
        for name, lowest in least.items():
            found = getattr(self, name)
            if not lowest <= found <= _MOST:
                message = f"incidents: {name!r} must be between {lowest} and {_MOST}, got {found}"
                raise SettingsError(message)


class Contract(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a run was asked to do, and held to.

    ``scope``, ``exclusions`` and ``off_limits`` are globs over paths relative to the repository (``**`` crosses
    folders). ``exclusions`` are out of this task, ``off_limits`` out of every task.
    """

    objective: str | None = None
    scope: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    off_limits: tuple[str, ...] = ()
    acceptance: str | None = None
    active_behavior: str | None = None
    branch: str | None = None
    required_checks: tuple[RequiredCheck, ...] = ()
    budgets: Budgets = Budgets()
    context_sources: tuple[str, ...] = ()
    rules: RuleChoice = RuleChoice()
    incidents: Incidents = Incidents()


def contract_from_mapping(data: Mapping[str, Any], *, source: str) -> Contract:
    """A contract from parsed TOML.

    Args:
        data: the table; keys are the fields of ``Contract``.
        source: what to call the origin in errors, a path for instance.

    Raises:
        SettingsError: an unknown key (with the nearest known one) or a wrong type.
    """
    _known_keys(data, Contract.__struct_fields__, where=source)
    _known_keys(data.get("budgets"), Budgets.__struct_fields__, where=f"{source}: budgets")
    _known_keys(data.get("incidents"), Incidents.__struct_fields__, where=f"{source}: incidents")
    _known_keys(data.get("rules"), RuleChoice.__struct_fields__, where=f"{source}: rules")
    for number, check in enumerate(_tables(data.get("required_checks")), start=1):
        _known_keys(check, RequiredCheck.__struct_fields__, where=f"{source}: required_checks[{number}]")
    try:
        return msgspec.convert(data, Contract)
    except msgspec.ValidationError as exc:
        message = f"{source}: {exc}"
        raise SettingsError(message) from exc


def table_from_toml(text: str, *, source: str = "agent-otel.toml") -> dict[str, Any]:
    """The table of a contract: all of ``agent-otel.toml``, or ``[tool.agent-otel]`` of a ``pyproject.toml``.

    Raises:
        SettingsError: the text is not TOML, or has something else where the table should be.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        message = f"{source}: not valid TOML: {exc}"
        raise SettingsError(message) from exc
    if _PYPROJECT.isdisjoint(data):
        return data
    tools = data.get("tool")
    table = tools.get("agent-otel", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        message = f"{source}: expected a table [tool.agent-otel], got {table!r}"
        raise SettingsError(message)
    return table


def contract_from_toml(text: str, *, source: str = "agent-otel.toml") -> Contract:
    """A contract from the text of a TOML file; see ``table_from_toml``.

    Raises:
        SettingsError: the text is not TOML, or not a contract.
    """
    return contract_from_mapping(table_from_toml(text, source=source), source=source)


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def _known_keys(data: object, known: tuple[str, ...], *, where: str) -> None:
    if not isinstance(data, Mapping):
        return
    for key in data:
        if key not in known:
            message = f"{where}: unknown key {key!r}; {suggestion(key, known)}"
            raise SettingsError(message)
