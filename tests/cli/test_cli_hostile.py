"""What commands print of runs that say hostile things: a table of commands, and what holds for each of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from click.testing import Result
from msgspec.structs import replace

from agent_otel.cli.main import READING
from agent_otel.model import names
from agent_otel.model.record import Failure, RunRecord
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import statement
from agent_otel.review.judge import judge
from agent_otel.store.base import Folded
from agent_otel.store.sqlite import SqliteStore
from hostile_records import ATTACKS, saying
from inert import is_annotations, is_inert, is_json, is_our_markdown, is_sarif, is_xml, starts_no_command

FIRST: Final = "{first}"
SECOND: Final = "{second}"
TEXT: Final = "{text}"
SAFE: Final = (is_inert, starts_no_command)


class Told(NamedTuple):
    """A command, and what holds of what it prints, whatever runs say."""

    arguments: tuple[str, ...]
    holds: tuple[Callable[[str], None], ...] = SAFE


COMMANDS: Final = (
    Told(("runs",)),
    Told(("runs", "--json"), (*SAFE, is_json)),
    Told(("show", FIRST)),
    Told(("show", "no such run")),
    Told(("show", FIRST, "--json"), (*SAFE, is_json)),
    Told(("show", FIRST, "--markdown"), (*SAFE, is_our_markdown)),
    Told(("note", FIRST), (*SAFE, is_our_markdown)),
    Told(("digest", FIRST)),
    Told(("audit", FIRST)),
    Told(("audit", FIRST, "--format", "json"), (*SAFE, is_json)),
    Told(("audit", FIRST, "--format", "sarif"), (*SAFE, is_json, is_sarif)),
    Told(("audit", FIRST, "--format", "github"), (is_inert, is_annotations)),
    Told(("audit", FIRST, "--format", "gitlab"), (*SAFE, is_json)),
    Told(("audit", FIRST, "--format", "junit"), (*SAFE, is_xml)),
    Told(("verify", FIRST)),
    Told(("verify", "no such run")),
    Told(("verify", FIRST, "--json"), (*SAFE, is_json)),
    Told(("diagnose", FIRST)),
    Told(("diagnose", FIRST, "--check", TEXT)),
    Told(("diagnose", FIRST, "--check", "none of these")),
    Told(("diagnose", FIRST, "--json"), (*SAFE, is_json)),
    Told(("diff", FIRST, SECOND)),
    Told(("diff", FIRST, SECOND, "--json"), (*SAFE, is_json)),
    Told(("incidents", "--since", "2026-05-01")),
    Told(("incidents", "--since", "2026-05-01", "--json"), (*SAFE, is_json)),
    Told(("postmortem", "new", FIRST, SECOND, "--owner", TEXT)),
    Told(("postmortem", "check", "pages")),
    Told(("postmortem", "check", "pages", "--json"), (*SAFE, is_json)),
    Told(
        ("review", "--since", "2026-05-01", "--today", "2026-07-31", "--postmortems", "pages"), (*SAFE, is_our_markdown)
    ),
    Told(("review", "--since", "2026-05-01", "--today", "2026-07-31", "--json"), (*SAFE, is_json)),
    Told(("near-miss", FIRST, "--what", TEXT, "--caught-by", TEXT, "--file", TEXT)),
    Told(("near-miss", FIRST, "--what", TEXT, "--caught-by", TEXT, "--json"), (*SAFE, is_json)),
    Told(("contract", "check", "wrong.toml")),
    Told(("contract", "check", "right.toml")),
    Told(("contract", "check", "right.toml", "--json"), (*SAFE, is_json)),
    Told(("report", "--json"), (*SAFE, is_json)),
    Told(("report",), (is_inert,)),
    Told(("report", "--review", "--postmortems", "pages"), (is_inert,)),
    Told(("export",), (*SAFE, is_json)),
    Told(("export", "--jsonl")),
    Told(("evidence", "add", FIRST, "--check", TEXT, "--exit-code", "1", "--by", TEXT)),
    Told(("evidence", "add", FIRST, "--check", TEXT, "--exit-code", "1", "--by", TEXT, "--json"), (*SAFE, is_json)),
    Told(("near-miss", FIRST, "--caught-by", TEXT, "--what", TEXT, "--file", TEXT)),
    Told(("redo", FIRST, "--of", TEXT)),
    Told(("redo", FIRST, "--of", TEXT, "--json"), (*SAFE, is_json)),
    Told(("near-miss", FIRST, "--caught-by", TEXT, "--what", TEXT, "--json"), (*SAFE, is_json)),
)
SAYS_NOTHING_OF_RUNS: Final = {"record", "rules", "dialects", "doctor"}


def hostile(text: str, number: int) -> RunRecord:
    """A judged run that says this wherever text can stand, with a failure that others have as well."""
    record = replace(
        saying(text),
        run_id=f"{text}{number}",
        parent_run=None,
        started=f"2026-05-1{number}T09:00:00.000Z",
        failures=(Failure(id="f", command=text, error=text),),
    )
    return judge(record)


@pytest.fixture
def at(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a database of two hostile runs, a page about nobody, and contracts."""
    text = request.param
    body = statement("of nothing", {names.RUN_ID: "run"}, time_ns=1)
    with closing(SqliteStore(tmp_path / "runs.db")) as store:
        store.put(items_from_protobuf(body, "log").items)
        (group,) = store.due(now_ns=1 << 62)
        assert store.save([Folded(group=group, sequence=1, records=[hostile(text, 1), hostile(text, 2)])]) == [True]
    quoted = "".join(f"\\U{ord(character):08x}" for character in text)
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "::error::x.md").write_text("no page")
    (pages / "a.md").write_text(f'+++\ntrigger = "{quoted}"\nruns = ["{quoted}"]\n"{quoted}" = 1\n+++\n\n# x\n')
    (tmp_path / "wrong.toml").write_text(f'"{quoted}" = 1\n')
    (tmp_path / "right.toml").write_text(f'objective = "{quoted}"\nscope = ["{quoted}"]\nbranch = "{quoted}"\n')
    return tmp_path


def breaks(hold: Callable[[str], None], told: str) -> bool:
    """Whether what was told is not what has to hold."""
    try:
        hold(told)
    except (AssertionError, ValueError):
        return True
    return False


def test_every_command_that_tells_of_runs_is_in_the_table() -> None:
    """A new one has to say what holds for it."""
    assert {each.arguments[0] for each in COMMANDS} >= {each.name for each in READING} - SAYS_NOTHING_OF_RUNS


@pytest.mark.parametrize("at", ATTACKS, indirect=True, ids=range(len(ATTACKS)))
def test_no_command_prints_what_does_harm(invoke, at: Path, request: pytest.FixtureRequest) -> None:
    """Neither on standard output nor on standard error, whatever the runs, pages and contracts say."""
    text = request.node.callspec.params["at"]
    given = {FIRST: f"{text}1", SECOND: f"{text}2", TEXT: text}
    broken = []
    for arguments, holds in COMMANDS:
        where = () if arguments[1:2] == ("check",) else ("--db", at / "runs.db")
        result: Result = invoke(*(given.get(each, each) for each in arguments), *where)
        assert result.stdout or result.stderr, arguments
        broken += [(arguments, hold.__name__) for hold in holds if result.stdout and breaks(hold, result.stdout)]
        broken += [(arguments, hold.__name__) for hold in SAFE if breaks(hold, result.stderr)]
    assert broken == []


@pytest.mark.parametrize("at", ATTACKS, indirect=True, ids=range(len(ATTACKS)))
def test_a_page_of_hostile_runs_is_a_page_in_its_folder(invoke, at: Path, request: pytest.FixtureRequest) -> None:
    """It can be checked, names its runs, and brings no markup of theirs."""
    text = request.node.callspec.params["at"]
    folder = at / "written"
    made = invoke("postmortem", "new", f"{text}1", f"{text}2", "--db", at / "runs.db", "--folder", folder)
    assert made.exit_code == 0, made.stderr
    (page,) = folder.iterdir()
    for hold in (*SAFE, is_our_markdown):
        hold(page.read_text(encoding="utf-8"))
    since = ("--db", at / "runs.db", "--since", "2026-05-01")
    assert invoke("incidents", *since).exit_code == 1
    assert invoke("incidents", *since, "--postmortems", folder).exit_code == 0
