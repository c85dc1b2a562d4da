"""The repository of the history: post-mortems as people write them, their changes, and a rule that was forgotten."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from click.testing import CliRunner

from agent_otel.cli.main import main
from history.plan import History, Run
from history.stories import CAME_BACK, REJECTED, STOPPED, TOO_EARLY

GONE: Final = "src/old/guard.py"


class Page(NamedTuple):
    """A page about the first two runs of a story: the file of its change, when that landed, what came of it.

    Where a human saw a pattern, it is tagged.
    """

    story: str
    file: str
    landed_after_days: int
    effect: str
    idea: str
    pattern: str = ""


PAGES: Final = (
    Page(STOPPED, "hooks/checks.md", 2, "not seen since", "Ask a human each time: they would say yes."),
    Page(CAME_BACK, "hooks/tests.md", 3, "came back", "Run the tests twice: they fail twice."),
    Page(REJECTED, "hooks/push.md", 4, "came back", "Let nobody push: that is how we ship.", "aspirational-rule"),
    Page(TOO_EARLY, "hooks/look.md", 5, "not known yet", "Another model: none is known to be better."),
)

RETURNED: Final = {CAME_BACK: (2,), REJECTED: (2, 3)}
"""Which runs of a story have its failure after the page was written, by their places."""


def written(history: History, folder: Path, database: str) -> None:
    """Makes the repository in a folder, with everything on its day; the folder is where the process is."""
    _git("init", "--quiet", day=date(2026, 3, 1))
    _commit({"AGENTS.md": f"Ask before you edit `{GONE}`.\n", GONE: "def guard():\n    pass\n"}, date(2026, 3, 1))
    (folder / GONE).unlink()
    _commit({}, date(2026, 3, 10))
    for page in PAGES:
        runs = history.of(page.story)[:2]
        day = _last(runs) + timedelta(days=1)
        _write(page, runs, day, database)
        _commit({page.file: f"{page.story}\n"}, day + timedelta(days=page.landed_after_days))


def _last(runs: Iterable[Run]) -> date:
    return max(run.replay.starts for run in runs).date()


def _write(page: Page, runs: list[Run], day: date, database: str) -> None:
    """The page as the command fills it, and what a human adds."""
    asked = ("--owner", "ada", "--today", day.isoformat(), "--db", database)
    done = CliRunner().invoke(main, ["postmortem", "new", *(run.run_id for run in runs), *asked])
    assert done.exit_code == 0, done.output
    file = Path(done.output.strip())
    text = file.read_text(encoding="utf-8")
    for old, new in (
        ('file = "TODO"', f'file = "{page.file}"'),
        ('what = "TODO"', 'what = "say it where it is read"'),
        ("- TODO: an idea, and why not.", f"- {page.idea}"),
        ('owner = "ada"\n\n', f'owner = "ada"\npatterns = {json.dumps([page.pattern] if page.pattern else [])}\n\n'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")


def _commit(files: dict[str, str], day: date) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    _git("add", "--all", day=day)
    _git("commit", "--quiet", "--message=As was agreed", day=day)


def _git(*arguments: str, day: date) -> None:
    when = f"{day.isoformat()}T12:00:00Z"
    env = {**os.environ, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env=env)
