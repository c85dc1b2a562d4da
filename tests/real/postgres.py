"""A real PostgreSQL server: in a temporary folder, on a free loopback port, as a user without privileges."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

OLDEST: Final = 13
HOW_TO_INSTALL: Final = "PostgreSQL 13 or newer is needed: apt-get install postgresql (Debian, Ubuntu)"

_USER: Final = "agent_otel"
_TRIES: Final = 5


def find() -> Path | None:
    """The folder of the newest server's programs; None where there is none that is new enough."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = [(_version(folder), folder) for folder in folders if (folder / "initdb").exists()]
    version, folder = max(found, default=(0, Path()))
    return folder if version >= OLDEST else None


def _version(folder: Path) -> int:
    done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else 0


class PostgresServer:
    """A server of one's own, running from the start; ``stop`` and ``start`` make it go and come back.

    Args:
        settings: of the server, such as ``fsync="on"``. It is off by default: no machine loses power in a test, and
            killing programs does not lose what was written.
    """

    def __init__(self, **settings: str) -> None:
        programs = find()
        if programs is None:
            raise RuntimeError(HOW_TO_INSTALL)
        self._programs = programs
        self._settings = {"fsync": "off", "max_connections": "50", "listen_addresses": "127.0.0.1", **settings}
        self._as = _somebody()
        self.folder = Path(tempfile.mkdtemp(prefix="agent-otel-postgres-"))
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        try:
            self._run("initdb", "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            self.port = self._start_somewhere()
        except BaseException:
            self.close()
            raise

    def url(self, database: str = "postgres") -> str:
        """Where a database of this server is."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts it on its port, and waits until it answers."""
        self._start(self.port)

    def stop(self, mode: str = "fast") -> None:
        """Stops it, and waits until it is gone; ``immediate`` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def close(self) -> None:
        """Stops it where it runs, and removes its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_somewhere(self) -> int:
        for _ in range(_TRIES):
            # Somebody else may take the port before the server does.
            port = _free_port()
            try:
                self._start(port)
            except subprocess.CalledProcessError as exc:
                error = exc
            else:
                return port
        raise error

    def _start(self, port: int) -> None:
        settings = {**self._settings, "port": str(port), "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, "-D", self.folder / "data", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            check=False,
            **self._as,
        )
        if done.returncode:
            log = self.folder / "log"
            said = log.read_text() if log.exists() else (done.stdout or b"").decode()
            raise subprocess.CalledProcessError(done.returncode, program, said)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _somebody() -> dict[str, int]:
    """As whom to run: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = names.get("postgres") or names["nobody"]
    return {"user": chosen.pw_uid, "group": chosen.pw_gid}
