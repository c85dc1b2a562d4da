"""A quarter of real runs, recorded by the SDK and set to their days, and the post-mortems that were written of them."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

import agent_otel
from agent_otel.model.contract import Contract
from agent_otel.model.record import RunRecord, encode
from agent_otel.model.versions import decode
from agent_otel.review.contracted import audit
from agent_otel.review.incidents.shape import stamp
from agent_otel.review.patterns.stale import Gone, Harness
from agent_otel.review.postmortems.read import read_page
from agent_otel.review.quarter.build import Pages, Period, review
from agent_otel.review.quarter.pages import Written
from agent_otel.review.quarter.seen import Seen, seen
from agent_otel.review.quarter.shape import Review
from agent_otel.testing import EPOCH_NS, record_runs

PERIOD: Final = Period(date(2026, 3, 1), date(2026, 5, 29), date(2026, 5, 29))
EPOCH: Final = datetime.fromtimestamp(EPOCH_NS / 10**9, timezone.utc)
_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Place(NamedTuple):
    """Where a run works: a repository, and programs of the names that a project has, which end as they are told."""

    repo: Path
    programs: Path

    def ends(self, program: str, code: int, says: str = "") -> dict[str, str]:
        """The environment in which the program says that and ends so."""
        file = self.programs / program
        file.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}'\nexit {code}\n", encoding="utf-8")
        file.chmod(0o755)
        return {"PATH": f"{self.programs}:/usr/bin:/bin"}


def _edited(run: agent_otel.Run, place: Place, path: str) -> None:
    run.file_read(path, reason="it is raised here")
    (place.repo / path).parent.mkdir(parents=True, exist_ok=True)
    (place.repo / path).write_text("changed\n", encoding="utf-8")
    run.file_changed(path, lines_added=1)


def _checked(run: agent_otel.Run, place: Place, check: str, code: int, says: str = "") -> None:
    line = COMMANDS[check]
    run.verification(check, evidence=run.command(line, cwd=place.repo, env=place.ends(line[0], code, says)))


def _done(run: agent_otel.Run, place: Place) -> None:
    _edited(run, place, "src/cart/total.py")
    _checked(run, place, "unit", 0)
    _checked(run, place, "e2e", 0)
    run.usage(input_tokens=10_000, output_tokens=500)
    run.handoff("done", blockers=[], next_action="merge")


def _no_e2e(run: agent_otel.Run, place: Place) -> None:
    _edited(run, place, "src/routes/invite.ts")
    _checked(run, place, "unit", 0)
    run.skipped("e2e", reason="the preview service did not answer", unavailable=True)
    run.usage(input_tokens=20_000, output_tokens=1_000)
    run.handoff("done", blockers=[], next_action="merge")


def _rounding(run: agent_otel.Run, place: Place) -> None:
    _edited(run, place, "src/cart/total.py")
    _checked(run, place, "unit", 1, "FAILED tests/cart/test_total.py::test_half - AssertionError: assert 3 == 4")
    _checked(run, place, "e2e", 0)
    run.usage(input_tokens=40_000, output_tokens=2_000)
    run.handoff("blocked", blockers=["unit"], next_action="look at rounding")


def _blind(run: agent_otel.Run, place: Place) -> None:
    for path in ("src/billing/tax.py", "src/billing/invoice.py"):
        run.file_changed(path, operation="edit", lines_added=2)
    _done(run, place)


COMMANDS: Final = {"unit": ["pytest", "-q"], "e2e": ["pnpm", "e2e"]}
CHECKS: Final = [agent_otel.RequiredCheck(name=name, command=f"{line[0]}*") for name, line in COMMANDS.items()]
KINDS: Final = {"done": _done, "no e2e": _no_e2e, "rounding": _rounding, "blind": _blind}


@functools.cache
def recorded(kind: str) -> RunRecord:
    """A run of that kind, in a repository of its own."""
    with tempfile.TemporaryDirectory() as folder, record_runs() as found:
        place = Place(Path(folder, "shop"), Path(folder, "bin"))
        place.repo.mkdir()
        place.programs.mkdir()
        subprocess.run(["git", "init", "-q", "-b", "main", str(place.repo)], check=True)
        with agent_otel.run(
            kind, agent="fixer", id="run", repo=place.repo, scope=["src/**"], exclusions=[], required_checks=CHECKS
        ) as run:
            KINDS[kind](run, place)
    return found.record


def record(run_id: str, kind: str, day: str, *, task: str = "", agent: str = "fixer", minutes: int = 30) -> RunRecord:
    """The run of that kind again, under a name of its own, as it began at noon of that day."""
    begun = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    moved = decode(_TIME.sub(lambda found: _moved(found[0], begun - EPOCH), encode(recorded(kind))))
    return replace(
        moved,
        run_id=run_id,
        agent=replace(moved.agent, name=agent),
        task=replace(moved.task, objective=task or f"Task of {run_id}"),
        ended=stamp(begun + timedelta(minutes=minutes)),
        duration_s=minutes * 60.0,
    )


def _moved(text: bytes, by: timedelta) -> bytes:
    return stamp(datetime.fromisoformat(text.decode().replace("Z", "+00:00")) + by).encode()


def records() -> list[RunRecord]:
    """All runs: the preview service that is not there comes back, rounding is seen twice and then never again."""
    quiet = [record(f"done-{day}", "done", f"2026-0{3 + day // 30}-{day % 30 + 1:02}") for day in range(0, 88, 2)]
    return [
        *quiet,
        record("invite-1", "no e2e", "2026-03-03", task="Fix the invite", minutes=45),
        record("invite-2", "done", "2026-03-04", task="Fix the invite"),
        record("seats", "no e2e", "2026-03-05", agent="writer"),
        record("cart-1", "rounding", "2026-03-10", task="Round the cart", minutes=80),
        record("cart-2", "rounding", "2026-03-11", task="Round the cart", minutes=20),
        record("cart-3", "done", "2026-03-11", task="Round the cart"),
        record("login", "no e2e", "2026-04-20", agent="writer"),
        record("guests", "no e2e", "2026-05-12"),
        record("taxes", "blind", "2026-05-14", agent="writer"),
    ]


FOLDER: Final = Path(__file__).parent / "data" / "quarter"
PAGES: Final = {file.name: file.read_text(encoding="utf-8") for file in sorted((FOLDER / "postmortems").glob("*.md"))}
"""Pages by the names of their files: one older than the quarter, and one of whose run nothing is known."""

LANDED: Final = {
    "AGENTS.md": date(2026, 3, 9),
    "docs/rounding.md": date(2026, 3, 25),
    "preview.sh": date(2026, 5, 20),
    "gates.toml": date(2026, 5, 28),
    "old.md": date(2025, 11, 5),
}


def landed(path: str, since: date) -> date | None:
    """What the history of the repository would say."""
    day = LANDED.get(path)
    return day if day is not None and day >= since else None


def digests() -> list[Seen]:
    """What the review needs of the runs."""
    return [found for each in records() if (found := seen(audit(each, Contract()))) is not None]


HARNESS: Final = Harness(
    files={"AGENTS.md": "# Rules\n\nMoney is in `src/money/cents.py`; start `bin/preview` first.\n"},
    tracked=frozenset({"AGENTS.md", "bin/preview", "src/cart/total.py"}),
    deleted={"src/money/cents.py": Gone("3f2a9c1", "2026-04-02")},
    is_built=lambda _: False,
    used=lambda _: (),
    last_use=lambda _: None,
)
"""Rules of a repository, of which one names a file that went."""


def pages() -> Pages:
    """The pages, with a file among them that is none, and the harness of their repository."""
    written = [Written(name, read_page(text)) for name, text in PAGES.items()]
    return Pages(written, unread=["notes.md: no front matter"], harness=HARNESS)


def told(runs: list[Seen] | None = None) -> Review:
    """The review of the quarter."""
    limits = Contract().incidents
    return review(digests() if runs is None else runs, pages(), PERIOD, limits=limits, landed=landed)
