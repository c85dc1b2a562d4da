"""What the sandbox holds back, whatever a gate said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from coding_agent.sandbox import Sandbox

import agent_otel


@pytest.fixture
def sandbox(workspace: Path) -> Sandbox:
    """A sandbox around the workspace, with Python in it, and little time."""
    return Sandbox(workspace, programs=("python3",), timeout_s=10)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file beside the workspace."""
    path = tmp_path / "secret"
    path.write_text("not for agents", encoding="utf-8")
    return path


@pytest.mark.parametrize("path", ["../secret", "src/../../secret", ".git/config", "src/../.git/config"])
def test_paths_that_lead_out_are_refused(sandbox: Sandbox, secret: Path, path: str) -> None:
    """Neither read nor written, relative or not."""
    with pytest.raises(agent_otel.Denied, match="leads out of the workspace"):
        sandbox.read(path)
    with pytest.raises(agent_otel.Denied, match="leads out of the workspace"):
        sandbox.write(path, "changed")
    with pytest.raises(agent_otel.Denied):
        sandbox.read(secret)
    assert secret.read_text(encoding="utf-8") == "not for agents"


def test_symbolic_links_do_not_lead_out(sandbox: Sandbox, workspace: Path, secret: Path) -> None:
    """Not to a file, not through a folder, not into git, and not to a file that does not exist yet."""
    (workspace / "src" / "link").symlink_to(secret)
    (workspace / "up").symlink_to(secret.parent)
    (workspace / "history").symlink_to(workspace / ".git")
    (workspace / "new").symlink_to(secret.parent / "new")
    for path in ("src/link", "up/secret", "history/config", "new"):
        with pytest.raises(agent_otel.Denied):
            sandbox.read(path)
        with pytest.raises(agent_otel.Denied):
            sandbox.write(path, "changed")
    assert secret.read_text(encoding="utf-8") == "not for agents"
    assert not (secret.parent / "new").exists()


def test_the_list_has_what_can_be_read(sandbox: Sandbox, workspace: Path, secret: Path) -> None:
    """Files in order; nothing of git, and no link that leads out."""
    (workspace / "src" / "link").symlink_to(secret)
    (workspace / "copy").symlink_to(workspace / "README.md")
    names = sandbox.files()
    assert names == sorted(names)
    assert {"README.md", "copy", "src/fizz.py", "tests/test_fizz.py"} <= set(names)
    assert "src/link" not in names
    assert not [name for name in names if name.startswith(".git/")]
    assert [name for name in names if sandbox.read(name)] == names


def test_only_listed_programs_run(sandbox: Sandbox) -> None:
    """A program is known by its name alone; a path to one is another program."""
    for argv in (("git", "status"), (sys.executable, "-V"), ("./python3",), ()):
        with pytest.raises(agent_otel.Denied, match="is not among python3"):
            sandbox.run(argv)


def test_a_program_sees_the_workspace_and_nothing_of_ours(sandbox: Sandbox, workspace: Path) -> None:
    """It runs in the workspace, with an environment that is made for it."""
    told = sandbox.run(("python3", "-c", "import os; print(os.getcwd(), *sorted(os.environ))"))
    folder, *names = told.output.split()
    assert Path(folder) == workspace.resolve()
    assert set(names) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} == {"LANG", "PATH", "PYTHONDONTWRITEBYTECODE"}


def test_a_program_that_does_not_end_is_ended(workspace: Path) -> None:
    """Its result says that it ran out of time."""
    quick = Sandbox(workspace, programs=("python3",), timeout_s=0.2)
    assert quick.run(("python3", "-c", "import threading; threading.Event().wait()")).result == "timed_out"
