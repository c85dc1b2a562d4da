"""Three incidents whose pages engineers read: what ``postmortem new`` writes of runs that took place.

usage: python tests/history/pages.py, which writes them to tests/data/postmortems. Then read the difference.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, NamedTuple

from click.testing import CliRunner

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))

from agent_otel.cli.main import main
from history.kept import add_later, items_of, keep
from history.plan import Run, run_of
from history.stories import Caught, Late, Step
from history.variants import AGENT, OBJECTIVE, WORKSPACE

GOLDEN: Final = Path(__file__).resolve().parents[1] / "data" / "postmortems"
STARTS: Final = datetime(2026, 5, 18, 8, tzinfo=timezone.utc)
WRITTEN: Final = "2026-05-20"


class Subject(NamedTuple):
    """What a page is about."""

    agent: str
    repository: str
    module: str
    objective: str
    elsewhere: str
    steps: tuple[Step, ...]

    def runs(self) -> Iterator[Run]:
        """Its runs; what the task does not need lies in the folder ``elsewhere``."""
        said = {AGENT: self.agent, WORKSPACE: self.repository, OBJECTIVE: self.objective}
        said["src/words"] = f"src/{self.elsewhere}/words"
        for place, step in enumerate(self.steps):
            yield run_of(f"{self.module} {place}", step, STARTS + step.after, said, self.module)


PAGES: Final = {
    "untouched-module": Subject(
        agent="cart-bot",
        repository="shop",
        module="cart",
        objective="Count the last item of a cart, too",
        elsewhere="billing",
        steps=(Step("refactoring", minutes=305), Step("done", hours=6)),
    ),
    "hidden-e2e": Subject(
        agent="invite-bot",
        repository="invite-app",
        module="invites",
        objective="Send the last invite, too",
        elsewhere="mail",
        steps=(
            Step("without e2e", minutes=40, late=Late("e2e", 1, 5)),
            Step("without e2e", hours=6, late=Late("e2e", 0, 7)),
        ),
    ),
    "near-miss": Subject(
        agent="triage",
        repository="support",
        module="queue",
        objective="Show the last ticket of a queue, too",
        elsewhere="exports",
        steps=(
            Step("blind", caught=Caught("ada", "exports quote every number now", "src/exports/words.py", 3)),
        ),
    ),
}  # fmt: skip


def written(subject: Subject) -> str:
    """The page about it; nobody says why it is written, for the records show that."""
    runs = list(subject.runs())
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/runs.db"
        keep(items_of(runs), database)
        add_later(runs, database)
        about = [run.run_id for run in runs]
        asked = ("--owner", "ada", "--today", WRITTEN, "--folder", folder, "--db", database)
        done = CliRunner().invoke(main, ["postmortem", "new", *about, *asked])
        assert done.exit_code == 0, done.output
        return Path(done.output.strip()).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, subject in PAGES.items():
        (GOLDEN / f"{name}.md").write_text(written(subject), encoding="utf-8")
