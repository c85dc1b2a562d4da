"""The contract that a command holds runs to: the file that was named, or the repository's."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import click

from agent_otel.errors import SettingsError
from agent_otel.model.contract import Contract, contract_from_mapping, table_from_toml
from agent_otel.review.contracted import known_rules

NAMES: Final = ("agent-otel.toml", "pyproject.toml")
"""Where a repository keeps its contract; in a folder the first one counts that says something."""


contract_option: Final = click.option(
    "--contract",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Hold to this contract; by default the repository's, the nearest agent-otel.toml or pyproject.toml upwards.",
)


class Found(NamedTuple):
    """A contract, and the file that it stands in; None where there is none, and nothing is demanded."""

    contract: Contract
    file: Path | None


def demanded(file: Path | None) -> Contract:
    """What runs are held to: the contract in the file that was named, or else the nearest one upwards.

    Every command that tells of a run asks here, so that no two of them judge it by different demands.

    Raises:
        SettingsError: a file cannot be read, or is no contract.
    """
    return contract_at(file) if file else nearest_contract(Path.cwd()).contract


def contract_at(file: Path) -> Contract:
    """The contract in a file.

    Raises:
        SettingsError: it cannot be read, or is no contract.
    """
    contract = contract_from_mapping(_table(file), source=str(file))
    known_rules(contract, source=str(file))
    return contract


def nearest_contract(folder: Path) -> Found:
    """The contract of the folder, or of the nearest one above it, up to the root of the repository.

    Raises:
        SettingsError: a file on the way cannot be read, or is no contract.
    """
    for each in (folder, *folder.parents):
        for name in NAMES:
            if (each / name).is_file() and _table(each / name):
                return Found(contract_at(each / name), each / name)
        if (each / ".git").exists():
            break
    return Found(Contract(), None)


def _table(file: Path) -> dict[str, object]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        message = f"{file}: cannot be read: {exc}"
        raise SettingsError(message) from exc
    return table_from_toml(text, source=str(file))
