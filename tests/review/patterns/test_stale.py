"""What texts of the harness name, and which of it is gone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, strategies as st

from agent_otel.model.contract import Contract, RequiredCheck
from agent_otel.model.record import ContextSource, RunRecord
from agent_otel.review.globs import first_match
from agent_otel.review.patterns.find import sightings
from agent_otel.review.patterns.names import names_in, path_of, paths_in_command
from agent_otel.review.patterns.observed import Observed, observed
from agent_otel.review.patterns.stale import CONTEXT, MOST_SYMBOLS, Gone, Harness

GONE = Gone("3f2a9c1", "2026-05-02")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Read `src/auth/guard.py` first.", ["path src/auth/guard.py"]),
        ("Read src/auth/guard.py, then (docs/a.md).", ["path src/auth/guard.py", "path docs/a.md"]),
        ("See [the guide](docs/guide.md#rules) and @docs/more.md.", ["path docs/guide.md", "path docs/more.md"]),
        ("`guard.py`, `./guard.py:12`, `src/a.py:3-9`", ["path guard.py", "path guard.py", "path src/a.py"]),
        ("`legacy/`, `src/auth`, `src/**/*.ts`", ["path legacy", "path src/auth", "path src/**/*.ts"]),
        ("`src/routes/[token].ts` and `src/routes/+page.svelte`",
         ["path src/routes/[token].ts", "path src/routes/+page.svelte"]),
        ("Run `python scripts/make.py --out build/x.txt` or `make test`.",
         ["path scripts/make.py", "path build/x.txt"]),
        ("```sh\npython scripts/make.py guard.py check_member\n```\n`a/b.py`", ["path scripts/make.py", "path a/b.py"]),
        ("~~~\nsrc/auth\n~~~", ["path src/auth"]),
        ("``a/b.py``", ["path a/b.py"]),
        ("Call `check_member()`, `Guard.check`, `auth::checkGuest`, `run()`, `Members.load()` or `HTTPServer`.",
         ["symbol check_member", "symbol checkGuest", "symbol load", "symbol HTTPServer"]),
        ("Words: `npm`, `main`, `Node`, `a_b`, `TODO`, `42`, `x = 1`, ``, ` `, `---`", []),
        ("and/or, owner/repo, text/plain, 1/2, origin/main, guard.py, e.g. this", []),
        ("https://example.invalid/src/a.py www.example.invalid/a/b.py `http://127.0.0.1:4318`", []),
        ("/etc/hosts ~/.ssh/config $HOME/a.py `src/<name>.py` `src/{id}.py` `C:\\a\\b.py` `a/.../b.py` `-o/x.py`", []),
        (f"`{'a/' * 200}b.py`", []),
    ],
)  # fmt: skip
def test_what_a_text_names(text: str, expected: list[str]) -> None:
    """What is written as code is, and nothing of elsewhere; prose names only what ends as files do."""
    assert [f"{name.kind} {name.text}" for name in names_in(text)] == expected


def test_names_have_their_line() -> None:
    """As an editor counts."""
    assert [name.line for name in names_in("\n`a/b.py`\n\n```\na/b.py\n```\n")] == [2, 5]


@given(st.text(alphabet="ab/.`*~_ \n()[]:#@", max_size=60))
def test_any_text_names_paths_of_the_repository_alone(text: str) -> None:
    """Never an absolute one, and none that is empty."""
    assert all(name.text and not name.text.startswith("/") for name in names_in(text))


def test_paths_of_patterns_of_commands() -> None:
    """What stands there without wildcards, which may cover more than a path."""
    assert list(paths_in_command("pytest tests/unit 'tests/e2e*' -q a.py")) == ["tests/unit"]
    assert path_of("") is None


def _harness(
    files: Mapping[str, str], *, tracked: str = "src/auth/guard.py", deleted: str = "", **more: object
) -> Harness:
    whole: dict[str, object] = {
        "files": files,
        "tracked": frozenset(tracked.split()),
        "deleted": dict.fromkeys(deleted.split(), GONE),
        "is_built": lambda _: False,
        "used": lambda _: (),
        "last_use": lambda _: None,
    }
    return Harness(**{**whole, **more})  # type: ignore[arg-type]  # fields of a harness


def _said(harness: Harness) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.said, each.refs) for each in sightings([], harness=harness)]


@pytest.mark.parametrize(
    ("name", "deleted", "is_stale"),
    [
        ("src/auth/guard.py", "", False),
        ("src/auth", "src/auth/old.py", False),
        ("src/**", "src/old.py", False),
        ("guard.py", "lib/guard.py", False),
        ("auth/", "lib/auth/a.py", False),
        ("src/auth/old.py", "", False),
        ("src/auth/old.py", "src/auth/old.py", True),
        ("src/old", "src/old/a.py", True),
        ("src/old/*.py", "src/old/a.py", True),
        ("old.py", "lib/old.py", True),
        ("../old.py", "old.py", False),
    ],
)
def test_a_path_is_gone_where_it_once_was(name: str, deleted: str, is_stale: bool) -> None:
    """A file, a folder, a glob; what is there somewhere, or never was, is not gone."""
    assert bool(_said(_harness({"AGENTS.md": f"`{name}`"}, deleted=deleted))) is is_stale
    assert _said(_harness({"AGENTS.md": f"`{name}`"}, deleted=deleted, is_built=lambda _: True)) == []


def test_places_of_one_name_are_one_sighting() -> None:
    """The contract and the context, in a sentence that names the first."""
    contract = Contract(
        scope=("src/old/**", "dashboard"),
        required_checks=(RequiredCheck(name="unit", command="pytest tests/old", paths=("src/old/**",)),),
    )
    harness = _harness(
        {"b.md": "`src/old/**`", "AGENTS.md": "\n`src/old/**`"},
        deleted="src/old/a.py tests/old/a.py",
        contract=contract,
        contract_file="agent-otel.toml",
        contract_text='[[required_checks]]\nscope = ["src/old/**"]\n',
    )
    assert _said(harness) == [
        (
            "'src/old/**' is named in AGENTS.md:2 and 2 more places, and is gone since 3f2a9c1 of 2026-05-02",
            ("AGENTS.md:2", "b.md:1", "agent-otel.toml:2"),
        ),
        ("'tests/old' is named in agent-otel.toml:1, and is gone since 3f2a9c1 of 2026-05-02", ("agent-otel.toml:1",)),
    ]


def test_a_source_was_gone_before_a_run_was_told_of_it() -> None:
    """Not one that went on the day of the run, or later, and none that is there."""
    sources = tuple(ContextSource(name=name) for name in ("docs/old.md", "src/auth/guard.py", "ADR-029"))

    def run(day: str) -> Observed:
        started = f"{day}T09:00:00.000Z"
        return observed(
            RunRecord(run_id=day, lifecycle="settled", outcome="ended", started=started, context_sources=sources)
        )

    harness = _harness({}, deleted="docs/old.md")
    (found,) = sightings([run("2026-05-03"), run("2026-05-02"), run("2026-05-04")], harness=harness)
    assert found.said == "'docs/old.md' is a source of 2 runs, and is gone since 3f2a9c1 of 2026-05-02"
    assert found.runs == ("2026-05-03", "2026-05-04")


def test_a_symbol_is_gone_where_code_once_had_it() -> None:
    """So many are looked up, and no more."""
    files = {"AGENTS.md": "`check_member` `check_guest` `never_there`"}
    harness = _harness(files, used=lambda _: {"check_guest"}, last_use=lambda name: GONE if "check" in name else None)
    assert _said(harness) == [
        ("'check_member' is named in AGENTS.md:1, and is gone since 3f2a9c1 of 2026-05-02", ("AGENTS.md:1",))
    ]
    many = _harness({"AGENTS.md": " ".join(f"`gone_{n}`" for n in range(99))}, last_use=lambda _: GONE)
    assert len(_said(many)) == MOST_SYMBOLS


@pytest.mark.parametrize(
    "path",
    ["AGENTS.md", "src/CLAUDE.md", ".cursor/rules/a.mdc", ".claude/agents/a.md", ".github/copilot-instructions.md"],
)
def test_files_that_agents_read(path: str) -> None:
    """In any folder; other texts of the repository are none."""
    assert first_match(path, CONTEXT)
    assert not first_match(f"docs/{path}.txt", CONTEXT)
    assert not first_match("README.md", CONTEXT)
