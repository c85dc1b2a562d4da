"""What the harness of the repository around a folder says, and what git knows of the names in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent_otel.cli.contracts import Found
from agent_otel.review.globs import first_match
from agent_otel.review.patterns.stale import CONTEXT, Gone, Harness
from agent_otel.sdk.git import Changed, Repository

MOST_FILES: Final = 200
MOST_BYTES: Final = 200_000
"""Of so many context files so many bytes are read: an agent would not read more either."""

LOOKUP_S: Final = 10.0
"""How long one symbol is looked for in the history."""

_PROSE: Final = (
    "**/*.md",
    "**/*.mdx",
    "**/*.mdc",
    "**/*.rst",
    "**/*.txt",
    "**/*.adoc",
    ".cursorrules",
    ".windsurfrules",
)
"""Files that speak of symbols; only code has them."""


def harness_at(folder: Path, found: Found) -> Harness | None:
    """The harness of the repository that a folder is in; None where there is no repository, or no commit yet.

    Args:
        folder: where to look.
        found: the contract, and the file that it stands in.
    """
    repository = Repository.find(folder)
    tracked = repository.tracked() if repository is not None else None
    if repository is None or tracked is None:
        return None
    context = (*CONTEXT, *found.contract.context_sources)
    files = [path for path in sorted(tracked) if first_match(path, context)]
    return Harness(
        files={path: _text(repository.root / path, repository.root) for path in files[:MOST_FILES]},
        tracked=tracked,
        deleted={path: Gone(last.commit, last.day) for path, last in repository.deleted().items()},
        is_built=lambda path: (repository.root / path).is_file(),
        used=lambda symbols: repository.words_used(symbols, without=_PROSE),
        last_use=lambda symbol: _gone(repository.last_use(symbol, without=_PROSE, timeout_s=LOOKUP_S)),
        contract=found.contract,
        contract_file=_relative(found.file, repository.root) if found.file else "",
        contract_text=_text(found.file, found.file.parent) if found.file else "",
    )


def _gone(changed: Changed | None) -> Gone | None:
    return Gone(changed.commit, changed.day) if changed is not None else None


def _text(file: Path, root: Path) -> str:
    """The beginning of a file; nothing where there is none, or where a link leads out of ``root``."""
    whole = file.resolve()
    if not whole.is_relative_to(root.resolve()) or not whole.is_file():
        return ""
    with whole.open("rb") as opened:
        return opened.read(MOST_BYTES).decode("utf-8", "replace")


def _relative(file: Path, root: Path) -> str:
    whole, top = file.resolve(), root.resolve()
    return whole.relative_to(top).as_posix() if whole.is_relative_to(top) else file.name
