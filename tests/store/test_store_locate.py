"""Where the embedded database lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_otel.store.locate import find_database


@pytest.fixture
def deep(tmp_path):
    """A folder far down in a repository."""
    folder = tmp_path / "repo" / "src" / "deep"
    folder.mkdir(parents=True)
    return folder


def test_the_environment_decides(deep, tmp_path):
    """A path in the environment comes before all else; one that is not absolute starts from here."""
    assert find_database(deep, {"AGENT_OTEL_DB": str(tmp_path / "x.db")}) == tmp_path / "x.db"
    assert find_database(deep, {"AGENT_OTEL_DB": "x.db"}) == deep / "x.db"
    assert find_database(deep, {"AGENT_OTEL_DB": "~/x.db"}) == Path.home() / "x.db"
    assert find_database(deep, {"AGENT_OTEL_DB": "sqlite:///x.db"}) == "sqlite:///x.db"


def test_the_nearest_database_upwards_is_used(deep, tmp_path):
    """Also one outside of the repository."""
    database = tmp_path / ".agent-otel" / "runs.db"
    database.parent.mkdir()
    database.touch()
    (tmp_path / "repo" / ".git").mkdir()
    assert find_database(deep, {"AGENT_OTEL_DB": ""}) == database


@pytest.mark.parametrize("kind", ["mkdir", "touch"])
def test_without_a_database_it_is_beside_git(deep, tmp_path, kind):
    """A clone has a folder, a linked work tree a file; an empty folder of ours is no database."""
    getattr(tmp_path / "repo" / ".git", kind)()
    (deep / ".agent-otel").mkdir()
    assert find_database(deep, {}) == tmp_path / "repo" / ".agent-otel" / "runs.db"


def test_without_anything_it_is_here():
    """A folder outside of every repository."""
    nowhere = Path("/nowhere/at/all")
    assert find_database(nowhere, {}) == nowhere / ".agent-otel" / "runs.db"
