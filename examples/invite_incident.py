"""One task, two runs: an agent that only says it is done, and one that a harness holds to a contract.

After single sign-on was enforced, invites end in a 403. The first run leaves a summary, and nobody can tell what stands
behind it. The second leaves a record: it shows the check that never ran, Firefox included, and whose move it is.

``invite_app/`` has the repository; its ``bin/pnpm`` stands in for the real one, so that nothing is to be installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import agent_otel
from agent_otel.store.locate import find_database
from agent_otel.store.sqlite import SqliteStore

AGENT: Final = "invite-fixer"
ROUTE: Final = "src/routes/invite/[token].ts"
UNIT: Final = ("pnpm", "test", "invite")
IDENTITY: Final = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
BROWSERS: Final = ("Chromium", "Firefox")


@agent_otel.tool(reads="path", reason="why")
def read_file(path: Path, why: str) -> str:  # noqa: ARG001 - for the record: see tool(reason=...)
    """Reads a file, and says why."""
    return path.read_text(encoding="utf-8")


@agent_otel.tool(writes="path")
def write_file(path: Path, content: str) -> None:
    """Puts a text into a file."""
    path.write_text(content, encoding="utf-8")


def only_summary() -> str:
    """The run as it was: nothing is observed, nothing is demanded. Gives the run's id."""
    with agent_otel.run("Fix invite acceptance redirect after SSO enforcement", agent=AGENT) as run:
        run.final_message("I fixed the redirect after SSO. All tests pass, also in Firefox.")
    return run.id


def harnessed(repo: Path) -> str:
    """The run as it could have been: the same task under the repository's contract. Gives the run's id."""
    environment = _environment(repo)
    with agent_otel.run(agent=AGENT, contract="agent-otel.toml", repo=repo) as run:
        read_file(repo / "src/auth/guard.ts", why="the 403 is raised here")
        route = read_file(repo / ROUTE, why="it redirects after the invite is accepted")
        read_file(repo / "tests/e2e/invite-acceptance.spec.ts", why="what acceptance means")

        before = run.command(UNIT, cwd=repo, env=environment, timeout=30)
        run.failure(
            command=before, error="expected 200, got 403", suspected_cause="membership not hydrated at the redirect"
        )
        run.decision(
            "wait for membership hydration before the redirect",
            alternatives={
                "redirect early, retry on 403": "hides the race",
                "let the guard accept invites": "src/auth is out of scope",
            },
            based_on=["ADR-029-membership-events"],
        )
        write_file(repo / ROUTE, route.replace("  return redirect", "  await hydrated(user);\n  return redirect"))

        run.verification("unit: invite", evidence=run.command(UNIT, cwd=repo, env=environment, timeout=30))
        preview = run.command(["pnpm", "preview", "status"], cwd=repo, env=environment, timeout=30)
        for browser in BROWSERS:
            run.skipped(
                f"e2e: invite-flow in {browser}", reason="preview service unavailable", unavailable=not preview.passed
            )
        run.risk("first-login analytics event not verified")
        run.handoff(
            "patch with blocker",
            blockers=["e2e not run: preview service unavailable"],
            next_action="run e2e in CI, in Chromium and Firefox",
            assumptions=["the membership event arrives within the request"],
            risks=["first-login analytics event not verified"],
            look_twice=[ROUTE],
        )
    return run.id


def make_repo(folder: Path) -> Path:
    """A git repository with one commit, from ``invite_app/``."""
    shutil.copytree(Path(__file__).parent / "invite_app", folder)
    who = {f"GIT_{field}": "example@example.invalid" for field in IDENTITY}
    # No settings of the user's (hooks, signing), and no GIT_DIR of a hook that we may run in.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**inherited, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (
        ("init", "--quiet", "--initial-branch=fix/invite-403"),
        ("add", "--all"),
        ("commit", "--quiet", "--message=Enforce SSO"),
    ):
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True)
    return folder


def main() -> int:
    """Does both runs, and prints what a reviewer would see of each."""
    parser = argparse.ArgumentParser(description="One task, two runs: a summary, and a record.")
    parser.add_argument("--db", type=Path, help="the database (default: the one that agent-otel would read)")
    database = parser.parse_args().db or find_database(Path.cwd(), os.environ)
    agent_otel.configure(service_name="invite-bot", database=database)
    with tempfile.TemporaryDirectory() as folder:
        runs = {"only a summary": only_summary(), "under a contract": harnessed(make_repo(Path(folder) / "invite-app"))}
    _print_states(runs, database)
    return 0


def _environment(repo: Path) -> dict[str, str]:
    """The environment of a command: our pnpm before any other."""
    path = os.pathsep.join((str(repo / "bin"), str(Path(sys.executable).parent), os.defpath))
    return {"PATH": path, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def _print_states(runs: Mapping[str, str], database: Path) -> None:
    store = SqliteStore(database)
    try:
        records = {name: store.record(run_id) for name, run_id in runs.items()}
    finally:
        store.close()
    for name, record in records.items():
        if record is not None:
            print(f"{name}: {record.review_state}")
            for finding in record.findings:
                print(f"  {finding.severity:<7}  {finding.message}")
            print(f"  agent-otel show {record.run_id} --db {database}\n")


if __name__ == "__main__":
    sys.exit(main())
