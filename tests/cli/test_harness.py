"""What the harness of a real repository names that is gone, by its history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_otel.cli.contracts import Found, nearest_contract
from agent_otel.cli.harness import harness_at
from agent_otel.model.contract import Contract
from agent_otel.model.record import ContextSource, RunRecord
from agent_otel.review.patterns.find import sightings
from agent_otel.review.patterns.observed import observed
from agent_otel.review.patterns.shape import Sighting

Git = Callable[..., str]

AGENTS = """\
# How to work here

Read `src/auth/guard.py` before you touch `check_member`, and src/auth/roles.py, too.
Rules are in [the guide](docs/guide.md#rules); `helpers.py:12` has more, `legacy/` is not ours.
`check_guest()` is the way in; `src/billing/**/*.py` is another team's. Never edit `src/gone/*.py`.
Examples: `path/to/file.py`, `MyClass`, https://example.invalid/src/auth/guard.py, /etc/hosts, `src/<name>.py`, and/or.

```console
$ python scripts/make.py --out build/out.txt
$ python scripts/build.py
```
"""
CONTRACT = """\
scope = ["src/**", "legacy/**"]
off_limits = ["migrations/**", "never/**"]
context_sources = ["AGENTS.md", "ADR-029"]

[[required_checks]]
name = "unit"
command = "pytest tests/unit tests/e2e*"
paths = ["src/auth/**"]
"""
FILES = {
    "AGENTS.md": AGENTS,
    "agent-otel.toml": CONTRACT,
    "docs/guide.md": "rules\n",
    "src/auth/guard.py": "def check_member(): ...\n\n\ndef check_guest(): ...\n",
    "src/auth/roles.py": "ROLES = ()\n",
    "src/auth/helpers.py": "x = 1\n",
    "src/billing/tax/rate.py": "RATE = 1\n",
    "src/gone/a.py": "a = 1\n",
    "legacy/old.py": "old = 1\n",
    "migrations/1.sql": "select 1;\n",
    "scripts/make.py": "make = 1\n",
    "scripts/build.py": "build = 1\n",
    "tests/unit/test_a.py": "a = 1\n",
    "CHANGELOG.md": "check_member came.\n",
}


@pytest.fixture
def grown(tmp_path: Path, git: Git) -> Path:
    """A repository that has all that its harness names."""
    git(tmp_path, "init", "--quiet", "--initial-branch=work")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    _commit(tmp_path, git)
    return tmp_path


def _commit(root: Path, git: Git) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=change")
    return git(root, "log", "-1", "--format=%h")


def _stale(root: Path, *records: RunRecord) -> tuple[Sighting, ...]:
    harness = harness_at(root / "src", nearest_contract(root))
    return sightings(map(observed, records), harness=harness)


def _said(found: tuple[Sighting, ...]) -> dict[str, tuple[str, ...]]:
    return {each.said.split("'")[1]: each.refs for each in found}


def test_a_harness_that_is_up_to_date_is_not_stale(grown: Path) -> None:
    """Everything that it names is there, or never was."""
    assert _stale(grown) == ()


def test_what_is_gone_is_told_with_its_places(grown: Path, git: Git) -> None:
    """Files, folders, globs and symbols, each once, with every place that names them, and the commit that took them."""
    for name in ("src/auth/helpers.py", "src/gone/a.py", "legacy/old.py", "migrations/1.sql", "scripts/make.py"):
        (grown / name).unlink()
    _commit(grown, git)
    git(grown, "mv", "src/auth/guard.py", "src/auth/gate.py")
    (grown / "src/auth/gate.py").write_text("def check_anybody(): ...\n\n\ndef check_guest(): ...\n")
    commit = _commit(grown, git)
    found = _stale(grown)
    assert _said(found) == {
        "check_member": ("AGENTS.md:3",),
        "helpers.py": ("AGENTS.md:4",),
        "legacy": ("AGENTS.md:4",),
        "legacy/**": ("agent-otel.toml:1",),
        "migrations/**": ("agent-otel.toml:2",),
        "scripts/make.py": ("AGENTS.md:9",),
        "src/auth/guard.py": ("AGENTS.md:3",),
        "src/gone/*.py": ("AGENTS.md:5",),
    }
    (guard,) = (each for each in found if "guard.py" in each.said)
    assert guard.said.startswith("'src/auth/guard.py' is named in AGENTS.md:3, and is gone since ")
    assert (guard.runs, guard.area, commit in guard.said) == ((), "src/auth", True)
    assert {each.pattern for each in found} == {"stale-harness"}


def test_what_was_built_again_is_there(grown: Path, git: Git) -> None:
    """A file that git has no more, and the folder has, is not gone."""
    (grown / ".gitignore").write_text("scripts/make.py\n")
    git(grown, "rm", "--quiet", "--cached", "scripts/make.py")
    _commit(grown, git)
    assert _stale(grown) == ()


def test_names_are_looked_for_beside_their_file_too(grown: Path, git: Git) -> None:
    """Context files of a folder speak of it; links lead nowhere outside of the repository."""
    (grown / "src" / "AGENTS.md").write_text("See `auth/guard.py` and `auth/lost.py`, not `../docs/guide.md`.\n")
    (grown / "src" / "auth" / "lost.py").write_text("lost = 1\n")
    (grown / "CLAUDE.md").symlink_to("/etc/hosts")
    (grown / "GEMINI.md").symlink_to("nowhere.md")
    _commit(grown, git)
    assert _stale(grown) == ()
    (grown / "src" / "auth" / "lost.py").unlink()
    _commit(grown, git)
    assert _said(_stale(grown)) == {"auth/lost.py": ("src/AGENTS.md:1",)}


def test_runs_that_were_told_of_what_was_gone(grown: Path, git: Git) -> None:
    """Later than the day on which it went, and where nothing shows that it was loaded after all."""
    (grown / "docs" / "guide.md").unlink()
    _commit(grown, git)

    def told(run_id: str, started: str, digest: str | None = None) -> RunRecord:
        source = ContextSource(name="./docs/guide.md", digest=digest)
        return RunRecord(
            run_id=run_id, lifecycle="settled", outcome="ended", started=started, context_sources=(source,)
        )

    runs = (
        told("before", "2020-01-01T00:00:00.000Z"),
        told("late", "2099-01-01T00:00:00.000Z"),
        told("loaded", "2099-01-01T00:00:00.000Z", "sha256:1"),
    )
    (named, source) = _stale(grown, *runs)
    assert (named.runs, named.refs) == ((), ("AGENTS.md:4",))
    assert (source.runs, source.refs) == (("late",), ("late context_sources",))
    assert source.said.startswith("'docs/guide.md' is a source of 1 run, and is gone since ")


def test_without_a_history_nothing_is_known(tmp_path: Path, git: Git) -> None:
    """Outside of a repository, and before the first commit."""
    found = Found(Contract(), None)
    assert harness_at(tmp_path, found) is None
    git(tmp_path, "init", "--quiet")
    assert harness_at(tmp_path, found) is None
