"""What can be done at all: files of one folder, a few programs, and only so long.

The sandbox looks at what is really there. A path that is written inside of the workspace and leads out of it through a
symbolic link passes a gate and fails here; the trace then shows both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import agent_otel


class Sandbox:
    """A workspace and the programs that may run in it.

    Args:
        root: the workspace.
        programs: names of the programs that may be started; they are looked up on a path of our own.
        timeout_s: seconds after which a program is ended.
    """

    def __init__(self, root: Path, *, programs: Collection[str], timeout_s: float = 10.0) -> None:
        self.root = root.resolve()
        self._programs = frozenset(programs)
        self._timeout_s = timeout_s

    def files(self) -> list[str]:
        """The files of the workspace, sorted; what leads out of it is left out."""
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if ".git" not in path.parts and self._holds(path))

    def read(self, path: str | os.PathLike[str]) -> str:
        """The text of a file.

        Raises:
            Denied: it lies outside.
        """
        return self._confined(path).read_text(encoding="utf-8")

    def write(self, path: str | os.PathLike[str], text: str) -> None:
        """Puts ``text`` into a file.

        Raises:
            Denied: it lies outside.
        """
        self._confined(path).write_text(text, encoding="utf-8")

    def run(self, argv: Sequence[str]) -> agent_otel.CommandResult:
        """Runs a program in the workspace, and is its witness.

        Raises:
            Denied: the program is not among the allowed ones.
        """
        if not argv or argv[0] not in self._programs:
            message = f"{argv[0] if argv else 'nothing'} is not among {', '.join(sorted(self._programs))}"
            raise agent_otel.Denied(message, policy="sandbox")
        return agent_otel.command(argv, cwd=self.root, env=_environment(), timeout=self._timeout_s)

    def _confined(self, path: str | os.PathLike[str]) -> Path:
        real = (self.root / path).resolve()
        if not self._holds(path) or ".git" in real.relative_to(self.root).parts:
            message = f"{os.fspath(path)} leads out of the workspace"
            raise agent_otel.Denied(message, policy="sandbox")
        return real

    def _holds(self, path: str | os.PathLike[str]) -> bool:
        return (self.root / path).resolve().is_relative_to(self.root)


def _environment() -> dict[str, str]:
    """The whole environment of a program: nothing of ours, so no secret of ours either."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.defpath))
    return {"PATH": path, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
