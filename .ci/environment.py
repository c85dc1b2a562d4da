"""Makes a virtual environment with this project's dependencies in it; does nothing where it is up to date.

usage: environment.py FOLDER [--python PROGRAM] [--editable] [--groups NAME...]
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def ensure(folder: Path, *, python: str, editable: bool, groups: list[str]) -> Path:
    """The environment's interpreter, after installing what its recipe (these files and arguments) asks for."""
    interpreter = folder / "bin" / "python"
    stamp = folder / ".recipe"
    recipe = hashlib.sha256(repr((python, editable, groups)).encode())
    for file in ("pyproject.toml", "constraints.txt"):
        recipe.update((ROOT / file).read_bytes())
    if interpreter.exists() and stamp.exists() and stamp.read_text() == recipe.hexdigest():
        return interpreter
    print(f"setting up {folder.name} with {python}", flush=True)
    made = subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=False)
    if made.returncode != 0:
        sys.exit(f"{python} cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv")
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt")]
    # Dependency groups need a newer pip than the oldest Pythons bring.
    subprocess.run([*pip, "--upgrade", "pip"], check=True)
    wanted = ["--editable", str(ROOT)] if editable else []
    for group in groups:
        wanted += ["--group", f"{ROOT / 'pyproject.toml'}:{group}"]
    subprocess.run([*pip, *wanted], check=True, cwd=ROOT)
    stamp.write_text(recipe.hexdigest())
    return interpreter


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--editable", action="store_true")
    parser.add_argument("--groups", nargs="*", default=[])
    arguments = parser.parse_args()
    ensure(arguments.folder, python=arguments.python, editable=arguments.editable, groups=arguments.groups)


if __name__ == "__main__":
    main()
