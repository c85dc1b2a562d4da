"""What the user asks of a run, settled before it starts: contract, names, ids."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypedDict, Union

import msgspec

from agent_otel.errors import SettingsError, suggestion
from agent_otel.model.contract import Budgets, Contract, RequiredCheck, contract_from_mapping, table_from_toml

ContractSource = Union[Contract, Mapping[str, Any], str, "os.PathLike[str]"]
"""A contract, the table of one, or the path of a TOML file that holds one."""


class RunOptions(TypedDict, total=False):
    """What may be said of a run besides its objective, agent and contract; contract fields override the contract."""

    id: str
    repo: str | os.PathLike[str] | None
    workflow: str
    conversation: str
    model: str
    version: str
    redo_of: str
    raise_on_budget: bool
    scope: Sequence[str]
    exclusions: Sequence[str]
    off_limits: Sequence[str]
    acceptance: str
    active_behavior: str
    branch: str
    required_checks: Sequence[RequiredCheck | Mapping[str, str] | str]
    budgets: Budgets | Mapping[str, float]
    context_sources: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run before it starts.

    ``id`` is "" where one is to be made; ``stated`` names the contract fields that were given.
    """

    agent: str
    contract: Contract
    stated: frozenset[str]
    id: str = ""
    repo: Path | None = None
    workflow: str = ""
    conversation: str = ""
    model: str = ""
    version: str = ""
    redo_of: str = ""
    raise_on_budget: bool = False

    @classmethod
    def of(
        cls,
        objective: str | None,
        *,
        agent: str,
        contract: ContractSource | None,
        options: Mapping[str, Any],
    ) -> Plan:
        """A plan from the arguments of ``run``.

        Raises:
            SettingsError: an unknown option, or a contract that is missing or wrong.
        """
        known = (*RunOptions.__annotations__,)
        for name in options:
            if name not in known:
                message = f"run() has no option {name!r}; {suggestion(name, known)}"
                raise SettingsError(message)
        repo = Path(options["repo"]) if options.get("repo") is not None else None
        table = _table(contract, repo)
        overrides = {name: value for name, value in options.items() if name in Contract.__struct_fields__}
        if objective is not None:
            overrides["objective"] = objective
        stated = {**table, **{name: _plain(name, value) for name, value in overrides.items()}}
        own = {each.name for each in fields(cls)} - {"agent", "contract", "stated", "repo"}
        return cls(
            agent=agent,
            contract=contract_from_mapping(stated, source="run()" if contract is None else f"contract {contract!s}"),
            stated=frozenset(stated),
            repo=repo,
            **{name: value for name, value in options.items() if name in own},
        )


def _table(contract: ContractSource | None, repo: Path | None) -> dict[str, Any]:
    if contract is None:
        return {}
    if isinstance(contract, Mapping):
        return dict(contract)
    if isinstance(contract, Contract):
        return msgspec.to_builtins(contract)  # type: ignore[no-any-return]  # a struct becomes a dict
    table = table_from_toml(_read(Path(contract), repo), source=os.fspath(contract))
    if not table:  # it was named on purpose: that it demands nothing is a mistake
        message = f"contract {os.fspath(contract)} says nothing; a pyproject.toml needs a table [tool.agent-otel]"
        raise SettingsError(message)
    return table


def _read(path: Path, repo: Path | None) -> str:
    """The contract file, looked for from the repository where one is named, and from the working directory."""
    bases = [*([repo] if repo is not None else []), Path.cwd()]
    found = next((base / path for base in bases if (base / path).exists()), None)
    if found is None:
        message = f"contract file {str(path)!r} not found in {' or '.join(map(str, bases))}"
        raise SettingsError(message)
    try:
        return found.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        message = f"contract {found}: cannot be read: {exc}"
        raise SettingsError(message) from exc


def _plain(name: str, value: Any) -> Any:
    """A contract field as TOML would have it."""
    if name == "required_checks":
        return [{"name": each} if isinstance(each, str) else msgspec.to_builtins(each) for each in value]
    if isinstance(value, str | Mapping):
        return value
    return list(value) if isinstance(value, Sequence) else msgspec.to_builtins(value)
