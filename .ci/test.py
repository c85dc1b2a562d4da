"""Builds the wheel and runs all tests against it, on the oldest and the newest supported Python of this machine.

In CI (variable CI set) both must be different versions, and 3.10 must be there; elsewhere one is enough, and said.
Arguments are passed on to pytest: ``python3 .ci/test.py -k redaction``.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from environment import ROOT, ensure

SUPPORTED = range(10, 14)
PURE = ("model", "text", "otlp", "compaction", "review")
"""Packages whose branches are covered completely."""
NOT_PYTHON = ("tests/collector_config", "tests/dashboards")
"""Tests of files that other programs read; they hold on one Python if they hold on another."""


def interpreters() -> dict[int, str]:
    """Minor version to program, of every supported Python 3 that really runs here."""
    pyenv = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    found: dict[int, str] = {}
    for minor in SUPPORTED:
        candidates = [shutil.which(f"python3.{minor}"), *sorted(glob.glob(f"{pyenv}/versions/3.{minor}.*/bin/python"))]
        if sys.version_info[:2] == (3, minor):
            candidates.insert(0, sys.executable)
        # A pyenv shim exists for every version and runs only some: ask.
        running = [each for each in candidates if each and _runs(each, minor)]
        if running:
            found[minor] = running[0]
    return found


def _runs(program: str, minor: int) -> bool:
    probe = f"import sys, venv; sys.exit(sys.version_info[:2] != (3, {minor}))"
    return subprocess.run([program, "-c", probe], capture_output=True, check=False).returncode == 0


def build() -> Path:
    """The wheel, made anew."""
    interpreter = ensure(ROOT / ".venv-build", python=sys.executable, editable=False, groups=["build"])
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    command = [str(interpreter), "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return next((ROOT / "dist").glob("*.whl"))


def test(python: str, minor: int, wheel: Path, arguments: list[str], *, whole: bool) -> int:
    """Installs the wheel beside the test dependencies, and runs pytest; its exit code.

    What takes minutes is done at full length where ``whole``, and shorter elsewhere; what is not Python is tried there
    alone.
    """
    folder = ROOT / f".venv-3.{minor}"
    interpreter = ensure(folder, python=python, editable=False, groups=["test", "lint"])
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, str(wheel)], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", str(wheel)], check=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "AGENT_OTEL_"))},
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "COVERAGE_FILE": str(folder / ".coverage"),
    }
    print(f"\n=== Python 3.{minor}: {python}", flush=True)
    pytest = [str(interpreter), "-m", "pytest", "-n", "2", "--cov", "--cov-report="]
    if whole:
        pytest += ["--kills", "200", "--load", "60"]
    else:
        pytest += [f"--ignore={folder}" for folder in NOT_PYTHON]
    code = subprocess.run([*pytest, *arguments], cwd=ROOT, env=environment, check=False).returncode
    if code == 0 and not arguments:
        code = covered(interpreter, environment)
    return code


def covered(interpreter: Path, environment: dict[str, str]) -> int:
    """0 where the pure packages are covered completely."""
    include = ",".join(f"*/agent_otel/{name}/*" for name in PURE)
    report = [str(interpreter), "-m", "coverage", "report", "--skip-covered", "--show-missing"]
    subprocess.run([*report, "--omit", include], cwd=ROOT, env=environment, check=False)
    gate = [*report, "--include", include, "--fail-under", "100"]
    return subprocess.run(gate, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Oldest and newest; the first failure ends it."""
    found = interpreters()
    if not found:
        sys.exit("no Python 3.10 to 3.13 was found; install one (pyenv install 3.13, or apt-get install python3)")
    chosen = sorted({min(found), max(found)})
    if len(found) == 1 or SUPPORTED[0] not in found:
        note = f"found Python {', '.join(f'3.{minor}' for minor in found)}; 3.10 and a newer one are wanted"
        if os.environ.get("CI"):
            sys.exit(f"{note}: install them (pyenv install 3.10 3.13)")
        print(note, flush=True)
    if code := subprocess.run([sys.executable, str(ROOT / ".ci" / "parts")], check=False).returncode:
        return code
    wheel = build()
    for minor in chosen:
        if code := test(found[minor], minor, wheel, sys.argv[1:], whole=minor == chosen[-1]):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
