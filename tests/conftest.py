"""Fixtures every test may use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from real.postgres import HOW_TO_INSTALL, PostgresServer, find
from real.processor import Processor

# A machine with much else to do takes its time; what is slow is told by benchmarks.
settings.register_profile("agent-otel", deadline=None)
settings.load_profile("agent-otel")

Git = Callable[..., str]
Program = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of what takes long."""
    parser.addoption("--kills", type=int, default=12, metavar="N", help="how often to kill a processor under load")
    parser.addoption("--load", type=float, default=3.0, metavar="SECONDS", help="how long to load a processor")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Tests see no telemetry settings of whoever runs them, and git no configuration of theirs."""
    for name in [name for name in os.environ if name.startswith(("OTEL_", "AGENT_OTEL_", "TRACEPARENT"))]:
        del os.environ[name]
    os.environ.update(
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_AUTHOR_NAME="Test",
        GIT_AUTHOR_EMAIL="test@example.invalid",
        GIT_COMMITTER_NAME="Test",
        GIT_COMMITTER_EMAIL="test@example.invalid",
        NO_COLOR="1",
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, started for the tests that ask for it; there is always one in CI."""
    if find() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with closing(PostgresServer()) as server:
        yield server


_numbers = count(1)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database of this test's own."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def git() -> Git:
    """Runs git in a folder and gives its output."""

    def run(folder: Path, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def repo(tmp_path: Path, git: Git) -> Path:
    """A real repository with one commit: ``a.txt`` and ``src/app.py``; on branch ``work``."""
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / "a.txt").write_text("one\ntwo\n")
    (root / "src" / "app.py").write_text("print('hi')\n")
    (root / ".gitignore").write_text("ignored/\n")
    git(root, "init", "--quiet", "--initial-branch=work")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    return root


@pytest.fixture
def python(tmp_path: Path) -> Program:
    """Runs a Python text as a process of its own, in a folder, with extra environment; gives the finished process."""

    def run(
        text: str,
        *,
        cwd: Path = tmp_path,
        env: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", text],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


Serve = Callable[..., Processor]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts processors, with more arguments of ``agent-otel serve``; later ones win. All are ended after the test.

    They share the database ``runs.db`` in the test's folder, unless ``db`` says otherwise.
    """
    started: list[Processor] = []

    def start(*arguments: str, db: str | Path = tmp_path / "runs.db", env: dict[str, str] | None = None) -> Processor:
        log = tmp_path / f"processor-{len(started)}.log"
        started.append(Processor(*arguments, db=str(db), log=log, env=env))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


@pytest.fixture
def processor(serve: Serve) -> Processor:
    """A processor that runs."""
    return serve()
