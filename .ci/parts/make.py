"""What all parts share: build into a fresh folder, put it in place when it is whole, once for all who ask at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from real.cached import cache


def once(wanted: Path, make: Callable[[Path], None]) -> Path:
    """The file or folder, made by ``make`` where it is missing.

    Args:
        wanted: what is to be there, in a folder of its own in the cache.
        make: fills an empty folder that becomes that one.
    """
    if wanted.exists():
        return wanted
    place = cache() / wanted.relative_to(cache()).parts[0]
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            begun = time.monotonic()
            print(f"making {place.name}", flush=True)
            with tempfile.TemporaryDirectory(dir=cache(), prefix="making-") as folder:
                make(Path(folder))
                shutil.rmtree(place, ignore_errors=True)
                Path(folder).rename(place)
                Path(folder).mkdir()  # for whoever removes it
            print(f"made {place.name} in {time.monotonic() - begun:.0f} s", flush=True)
    return wanted


def run(command: list[str | Path], *, cwd: Path, **environment: str) -> None:
    """Runs a program; where it fails, shows what it said and ends this one."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout[-5000:]}\n{' '.join(map(str, command))} failed with exit code {done.returncode}")


def program(name: str, *, packages: tuple[str, ...], says: str) -> str:
    """The path of a program; installs Debian's packages where it is missing and that may be done.

    Args:
        name: of the program.
        packages: that bring it.
        says: what to do where they cannot be installed.
    """
    if shutil.which(name) is None and packages and shutil.which("apt-get") and os.geteuid() == 0:
        print(f"installing {' '.join(packages)}", flush=True)
        here = Path.cwd()
        run(["apt-get", "update", "-qq"], cwd=here)
        run(
            ["apt-get", "install", "-qq", "--no-install-recommends", *packages],
            cwd=here,
            DEBIAN_FRONTEND="noninteractive",
        )
    found = shutil.which(name)
    if found is None:
        sys.exit(f"{name} is needed: {says}")
    return found
