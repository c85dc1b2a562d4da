"""Stale harness: the contract, rules or context name paths and symbols that the repository has no more.

What was never there is no pattern: it may be an example, or yet to come.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from agent_otel.model.contract import Contract
from agent_otel.review.fingerprints.areas import ROOT, area
from agent_otel.review.globs import matches
from agent_otel.review.patterns.names import Kind, is_glob, names_in, path_of, paths_in_command
from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.shape import Sighting, ref
from agent_otel.review.wording import count
from agent_otel.text.terminal import printable

NAME: Final = "stale-harness"
LAYER: Final = "harness rules"

CONTEXT: Final = (
    "AGENTS.md", "AGENT.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md", "QWEN.md", "CONVENTIONS.md", ".cursorrules",
    ".windsurfrules", ".clinerules", ".cursor/rules/**", ".windsurf/rules/**", ".clinerules/**", ".claude/**/*.md",
    ".codex/**/*.md", ".gemini/**/*.md", ".opencode/**/*.md", ".openhands/**/*.md",
    ".github/copilot-instructions.md", ".github/instructions/**", ".github/prompts/**",
)  # fmt: skip
"""Globs of the files that agents read without being told to."""

MOST_NAMES: Final = 2_000
"""So many symbols are looked for in the code; a file that names more is a reference, and no rule."""

MOST_SYMBOLS: Final = 50
"""So many symbols that are not there are looked up in the history; each lookup is a walk through it."""

_MOST_RUNS: Final = 50


class Gone(NamedTuple):
    """The commit with which something went, and its day."""

    commit: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """What the harness says, and what the repository has.

    ``files`` are the texts of context files, by path; ``contract_file`` is where the contract stands, and
    ``contract_text`` what stands there. ``tracked`` are the paths of the repository, ``deleted`` those that it once had
    (the latest first); ``is_built`` tells of one whether a file is there that nobody committed. ``used`` tells which of
    some symbols the code has, and ``last_use`` when one was last used; None where it never was.
    """

    files: Mapping[str, str]
    tracked: frozenset[str]
    deleted: Mapping[str, Gone]
    is_built: Callable[[str], bool]
    used: Callable[[Sequence[str]], Collection[str]]
    last_use: Callable[[str], Gone | None]
    contract: Contract = Contract()  # noqa: RUF009 - frozen
    contract_file: str = ""
    contract_text: str = ""


class _Named(NamedTuple):
    """Something that is named: a symbol, or what a path may stand for."""

    kind: Kind
    names: tuple[str, ...]


def stale(runs: Sequence[Observed], harness: Harness) -> Iterator[Sighting]:
    """One for each name, with all places where it is named, and one for each source that runs named after it went."""
    places: dict[_Named, list[str]] = defaultdict(list)
    for named, where in chain(_of_files(harness.files), _of_contract(harness)):
        places[named].append(where)
    symbols = [named for named in places if named.kind == "symbol"][:MOST_NAMES]
    used = harness.used([named.names[0] for named in symbols])
    unused = [named for named in symbols if named.names[0] not in used]
    gone = {named: harness.last_use(named.names[0]) for named in unused[:MOST_SYMBOLS]}
    gone |= {named: _went(named.names, harness) for named in places if named.kind == "path"}
    for named, since in gone.items():
        if since is not None:
            first, *others = dict.fromkeys(places[named])
            more = f" and {count(len(others), 'more place')}" if others else ""
            yield _sighting(named.names[0], since, f"is named in {printable(first)}{more}", refs=(first, *others))
    yield from _sources(runs, harness)


def _sighting(name: str, since: Gone, where: str, *, refs: tuple[str, ...], runs: tuple[str, ...] = ()) -> Sighting:
    return Sighting(
        pattern=NAME,
        runs=runs[:_MOST_RUNS],
        said=f"'{printable(name)}' {where}, and is gone since {since.commit} of {since.day}",
        refs=refs[:_MOST_RUNS],
        layer=LAYER,
        area=area(name) or ROOT,
    )


def _of_files(files: Mapping[str, str]) -> Iterator[tuple[_Named, str]]:
    for file, text in sorted(files.items()):
        folder = posixpath.dirname(file)
        for name in names_in(text):
            beside = posixpath.normpath(posixpath.join(folder, name.text))
            names = (name.text, beside) if name.kind == "path" and beside != name.text else (name.text,)
            yield _Named(name.kind, names), f"{file}:{name.line}"


def _of_contract(harness: Harness) -> Iterator[tuple[_Named, str]]:
    lines = harness.contract_text.splitlines()
    for path in _paths_of(harness.contract):
        number = next((number for number, line in enumerate(lines, start=1) if path in line), 1)
        yield _Named("path", (path,)), f"{harness.contract_file}:{number}"


def _paths_of(contract: Contract) -> Iterator[str]:
    globs = (contract.scope, contract.exclusions, contract.off_limits, contract.context_sources)
    checked = (check.paths for check in contract.required_checks)
    for patterns in (*globs, *checked):
        yield from filter(None, map(path_of, patterns))
    for check in contract.required_checks:
        yield from paths_in_command(check.command or "")


def _went(names: Sequence[str], harness: Harness) -> Gone | None:
    """When a path went, whichever it stands for; None where one is there, or none ever was."""
    if any(name.startswith("../") or any(_covering(name, harness.tracked)) for name in names):
        return None
    missing = (path for name in names for path in _covering(name, harness.deleted))
    return next((harness.deleted[path] for path in missing if not harness.is_built(path)), None)


def _covering(name: str, paths: Collection[str]) -> Iterator[str]:
    """What a name stands for: a file, those in a folder, or of a glob; one without a folder may be anywhere."""
    if name in paths:
        return iter((name,))
    if is_glob(name):
        return (path for path in paths if matches(path, name))
    if "/" not in name:
        return (path for path in paths if f"/{name}/" in f"/{path}/")
    return (path for path in paths if path.startswith(f"{name}/"))


def _sources(runs: Sequence[Observed], harness: Harness) -> Iterator[Sighting]:
    """The sources that runs were told of though they were gone by then; what was loaded was there."""
    told: dict[str, list[Observed]] = defaultdict(list)
    for run in runs:
        for source in run.sources:
            told[source].append(run)
    for source, tellers in told.items():
        since = _went((source,), harness)
        ids = tuple(run.run_id for run in tellers if since is not None and run.started[:10] > since.day)
        if since is not None and ids:
            refs = tuple(ref(run_id, "context_sources") for run_id in ids)
            yield _sighting(source, since, f"is a source of {count(len(ids), 'run')}", refs=refs, runs=ids)
