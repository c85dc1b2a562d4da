"""A fresh copy of the fixture as a real git repository, the same to the last byte every time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FIXTURE: Final = HERE / "fixture"
EXPECTED: Final = HERE / "expected"

_AUTHOR: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Fizz Maintainer"),
        ("EMAIL", "fizz@example.invalid"),
        ("DATE", "2026-01-01T00:00:00+00:00"),
    )
}
# The user's own settings (hooks, signing, templates) have no say here, and are not touched.
_GIT: Final = {**_AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def make_workspace(folder: Path) -> Path:
    """Copies the fixture to ``folder``, commits it on a branch ``fix-fizz``, and gives the folder.

    Raises:
        FileExistsError: there is something already.
    """
    shutil.copytree(FIXTURE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    _git(folder, "init", "--quiet", "--initial-branch=fix-fizz")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message=A game that stops too early")
    return folder


def _git(folder: Path, *arguments: str) -> None:
    # A GIT_DIR of whoever calls us (we may run inside a git hook) must not lead git to another repository.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *arguments], cwd=folder, env={**inherited, **_GIT}, check=True, capture_output=True)
