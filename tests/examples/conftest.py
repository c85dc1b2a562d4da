"""Runs the examples as users do: as programs, in an empty folder, with a clean environment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Start = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def examples() -> Path:
    """The folder of the examples."""
    return Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Runs Python with arguments in an empty folder; gives the finished process."""
    (tmp_path / "here").mkdir()
    # Where a source tree is tested, it is named relative to the folder that the tests were started in.
    modules = [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    kept = {"PATH": os.environ["PATH"], **({"PYTHONPATH": os.pathsep.join(modules)} if modules else {})}

    def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path / "here",
            env={**kept, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "NO_COLOR": "1", **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
