"""Sees to it that tests find a PostgreSQL server: installs Debian's package where that is missing and may be done.

usage: python3 .ci/parts/postgres.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from real.postgres import HOW_TO_INSTALL, find


def ensure() -> Path:
    """The folder of the server's programs; ends the program with a message where there is none to be had."""
    if find() is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("installing postgresql", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)
    found = find()
    if found is None:
        sys.exit(HOW_TO_INSTALL)
    return found


if __name__ == "__main__":
    print(f"PostgreSQL: {ensure()}")
