"""Whether it worked: the workspace against the tree that was expected. Knows nothing of runs, spans or checks."""

from __future__ import annotations

from pathlib import Path


def evaluate(workspace: Path, expected: Path) -> tuple[str, ...]:
    """What differs, a line for each file; nothing where the workspace is as expected."""
    found, wanted = _files(workspace), _files(expected)
    return tuple(
        f"{name} is missing" if name not in found else f"{name} is extra" if name not in wanted else f"{name} differs"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    )


def _files(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file())
    relative = {path.relative_to(root): path for path in paths}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in relative.items()
        if ".git" not in name.parts and "__pycache__" not in name.parts
    }
