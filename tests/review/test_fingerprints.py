"""Fingerprints: what stays of a failure when everything that differs from run to run is gone."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from agent_otel.model.record import (
    ChangedFile,
    Check,
    Command,
    Failure,
    Finding,
    Gate,
    Output,
    RunRecord,
    Verification,
)
from agent_otel.review.fingerprints.areas import area
from agent_otel.review.fingerprints.identity import fingerprinted
from agent_otel.review.fingerprints.normalise import LONGEST, normalised
from agent_otel.review.fingerprints.programs import doings, program
from agent_otel.review.fingerprints.telling import places, telling
from agent_otel.review.judge import judge

FOLDER = Path(__file__).parents[1] / "data" / "fingerprints"
FILES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def _texts(name: str) -> list[tuple[str, str]]:
    """The command lines of a file and what each printed."""
    blocks = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("$ ")[1:]
    return [(line, tail) for line, _, tail in (block.partition("\n") for block in blocks)]


def _record(*commands: Command, **fields: object) -> RunRecord:
    whole: dict[str, object] = {"run_id": "r", "lifecycle": "settled", "outcome": "ended", "commands": commands}
    return RunRecord(**(whole | fields))  # type: ignore[arg-type]  # fields of a record


def _command(line: str, tail: str | None, **fields: object) -> Command:
    whole: dict[str, object] = {"id": "c1", "command": line, "result": "failed", "exit_code": 1}
    return Command(**(whole | fields), output=Output(tail=tail) if tail is not None else None)  # type: ignore[arg-type]


def _of_failure(command: Command, **fields: object) -> str:
    whole: dict[str, object] = {"id": "f1", "command": command.command, "command_id": command.id}
    failure = Failure(**(whole | fields))  # type: ignore[arg-type]
    (found,) = fingerprinted(_record(command, failures=(failure,))).failures
    assert found.fingerprint is not None
    return found.fingerprint


def _parts(fingerprint: str) -> tuple[str, str]:
    """Area and digest: what the error itself decides."""
    _, _, where, digest = fingerprint.split(":")
    return where, digest


@pytest.mark.parametrize("name", FILES)
def test_texts_of_one_failure_give_one_fingerprint(name: str) -> None:
    """However often, wherever and with whatever options the tool ran."""
    assert len({_parts(_of_failure(_command(line, tail))) for line, tail in _texts(name)}) == 1


def test_different_failures_differ() -> None:
    """No two files of error texts have one fingerprint, and few texts tell of nothing but an exit code."""
    found = {name: {_of_failure(_command(line, tail)) for line, tail in _texts(name)} for name in FILES}
    assert [(one, other) for one, other in combinations(FILES, 2) if found[one] & found[other]] == []
    assert all(telling(tail) for name in FILES for _, tail in _texts(name))


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("pytest-assertion", "tests/auth"), ("jest", "src/auth"), ("vitest", "src/cart"), ("tsc", "src/routes"),
        ("go-build", "internal/retry"), ("playwright", "tests/e2e"), ("cargo-build", "crates/core"),
        ("eslint", "src/routes"), ("mypy", "src/shop"), ("gcc", "src/net"), ("rspec", "spec/models"),
        ("maven-compile", "src/main"), ("dotnet-build", "src/api"), ("python-missing-module", "scripts"),
        ("node-error", "."), ("npm-peer", "."),
    ],
)  # fmt: skip
def test_the_area_is_that_of_the_error(name: str, where: str) -> None:
    """It comes from the files that the tool names, wherever the repository lies."""
    assert {_parts(_of_failure(_command(line, tail)))[0] for line, tail in _texts(name)} == {where}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mError\x1b[0m: boom", "error: boom"),
        ("No module named “requests”", "no module named 'requests'"),
        ("GET https://a.test/x?y=1 failed", "get <url> failed"),
        ("mail to ada@example.test bounced", "mail to <mail> bounced"),
        ("job 6f1c2d7e-0000-4000-8000-00000000beef lost", "job <id> lost"),
        ("since 2026-05-11T08:12:44.102Z", "since <time>"),
        ("on Mon May 11 2026 at 08:12:44", "on <time> at <time>"),
        ("took 2m 3s, then 120 ms", "took <duration>, then <duration>"),
        ("at /srv/app/a.py:12:4", "at <path>"),
        (r"C:\repo\src\A.cs(12,4): bad", "<path>: bad"),
        ("src/routes/[token].ts is bad and/or worse", "<path> is bad and/or worse"),
        ("open ~/x and ../y/z", "open <path> and <path>"),
        ("unexpected token, line 4, column 9", "unexpected token"),
        ("object at 0x7f3a2c at fault", "object at <hex> at fault"),
        ("commit 93a9760e is gone", "commit <hex> is gone"),
        ("sha256:0011223344556677889900 differs", "<hex> differs"),
        ("session ab12cd34ef56gh is gone", "session <id> is gone"),
        ("connect 127.0.0.1:5432 or localhost:8080", "connect <host> or <host>"),
        ("t.py::test_a[x-1] broke", "<path>::test_a broke"),
        ("cannot read 'a long text' or 'name'", "cannot read <text> or 'name'"),
        ("exit status 137", "exit status 137"),
        ("HTTP 404 after 3 tries", "http 404 after <n> tries"),
        ("TS2322 is not E0308", "ts2322 is not e0308"),
        ("got [1, 2, 3] of 4", "got [<n>] of <n>"),
        ("don't stop", "don't stop"),
        ("x" * 500, "x" * LONGEST),
        ("", ""),
    ],
)
def test_what_differs_each_time_is_taken_out(text: str, expected: str) -> None:
    """Each row of the table does what it says, and leaves words and codes alone."""
    assert normalised(text) == expected


@given(st.text(max_size=1000))
def test_any_text_is_normalised(text: str) -> None:
    """Whatever a run printed: bounded, on one line, and found again in itself."""
    once = normalised(text)
    assert len(once) <= LONGEST
    assert len(once.splitlines()) <= 1


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1000))
def test_numbers_do_not_matter(one: int, other: int, length: float) -> None:
    """Two runs that differ in counts, lines and lengths of time have the same text."""
    texts = {
        normalised(f"tests/a.py:{n}: {n} failed in {length:.2f}s on 0x{n:04x} of 10.0.0.1:{n % 65536}")
        for n in (one, other)
    }
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/auth/guard.ts", "src/auth"),
        ("./src/auth/deep/guard.ts", "src/auth"),
        ("README.md", "."),
        ("../other/a.py", None),
        ("node_modules/left-pad/index.js", None),
        ("/repo/pkg/a/b.go", "pkg/a"),
        ("/repo/known/place/x.py", "known/place"),
        ("/elsewhere/known/place/y.py", "known/place"),
        ("/opt/thing/x.py", None),
        ("/home/dev/thing/x.py", None),
        ("/tmp/w/tests/unit/x.py", "tests/unit"),
        (r"C:\work\src\Api\A.cs", "src/Api"),
        ("~/x/a.py", None),
    ],
)
def test_the_area_of_a_path(path: str, expected: str | None) -> None:
    """Two folders from the top of the repository; what is installed or lies outside has none."""
    assert area(path, directory="/repo", known=frozenset(["known/place/y.py"])) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pytest -q tests", "pytest"),
        ("cd /x && FOO=1 python3.12 -m pytest", "pytest"),
        ("timeout 60 uv run --frozen mypy src | tail -5", "mypy"),
        ("bash -lc 'cd web; npm run test:unit'", "npm test:unit"),
        ("/usr/bin/git -C x push origin", "git push"),
        ("npm --prefix web test", "npm test"),
        ("npm", "npm"),
        ("npm run", "npm run"),
        ("docker compose up -d", "docker up"),
        ("go run ./cmd/x", "go run"),
        ("./gradlew :app:test", "gradle :app:test"),
        ("python tests/test_a.py", "test_a.py"),
        ("python -c 'print(1)'", "python"),
        ("npm ci && npm test; echo done", "npm test"),
        ("cd /x && ls", "ls"),
        ("sudo -n", ""),
        ("", ""),
        ("A=1", ""),
    ],
)
def test_the_program_of_a_line(line: str, expected: str) -> None:
    """What was meant to run, without the way there."""
    assert program(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ()),
        ("git push origin main", ("git push origin main",)),
        ("cd app && /usr/bin/git -C .. -c a=b push  'origin' main 2>&1", ("git push origin main",)),
        ("bash -lc 'git add -A; git push >/dev/null'", ("git add -A", "git push")),
        ("CI=1 sudo -E npm publish", ("npm publish",)),
        ("git push --dry-run", ("git push --dry-run",)),
        ("rm -f a | tee b", ("rm -f a | tee b",)),
        ("cd /tmp", ("cd /tmp",)),
    ],
)
def test_what_a_line_does(line: str, expected: tuple[str, ...]) -> None:
    """One thing after the other, however it is written; what only prepares counts where there is nothing else."""
    assert doings(line) == expected


WORDS = [
    "git",
    "-C",
    "-c",
    "push",
    "a=b",
    "sudo",
    "uv",
    "run",
    "npm",
    "gradlew",
    "nodejs",
    "python3",
    "cd",
    "sh",
    "./x",
    "x.py",
]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join))
def test_plain_lines_do_what_all_lines_do(line: str) -> None:
    """That they are seen sooner makes no difference."""
    assert doings(line) == doings(f"{line} 2>&1")


def test_an_output_that_tells_nothing_has_the_exit_code() -> None:
    """Or how the command ended, where there is no code."""
    told = [
        _of_failure(_command("x", "all is quiet")),
        _of_failure(_command("x", "quiet still")),
        _of_failure(_command("x", "quiet", exit_code=2)),
        _of_failure(_command("x", "quiet", exit_code=None, result="timed_out")),
    ]
    assert told[0] == told[1]
    assert len(set(told)) == 3
    assert telling("") is None
    assert places("nothing") == []


def test_what_a_command_printed_counts_before_what_was_said_of_it() -> None:
    """An agent finds other words each time; without an output there is nothing else."""
    printed = "tests/a/test_x.py:3: in f\nE   ValueError: no"
    assert _of_failure(_command("pytest", printed), error="it broke") == _of_failure(
        _command("pytest", printed), error="oh no"
    )
    assert _of_failure(_command("pytest", None), error="it broke") != _of_failure(
        _command("pytest", None), error="oh no"
    )


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure(id="f1", command="make x", error="exit code 2"), "command:make-x:.:"),
        (Failure(id="f1", tool="read_file", error="no file 'docs/a/b.md'"), "tool:read_file:docs/a:"),
        (Failure(id="f1", error_type="ValueError"), "run:valueerror:.:"),
        (Failure(id="f1"), "run:-:.:-"),
    ],
)
def test_failures_without_a_command_of_the_record(failure: Failure, expected: str) -> None:
    """Kind, program or tool and area are what is known of them."""
    (found,) = fingerprinted(_record(failures=(failure,))).failures
    assert found.fingerprint is not None
    assert found.fingerprint.startswith(expected)


def test_findings_are_about_what_they_name() -> None:
    """A check, the failure behind it, a file's area or a tool; the first ref that says something."""
    failing = _command("pytest", "tests/a/t.py:3: x\nE   ValueError: no")
    record = _record(
        failing,
        failures=(Failure(id="f1", command="pytest", command_id="c1"),),
        verifications=(
            Verification(id="v1", check="unit", outcome="fail", command_id="c1"),
            Verification(id="v2", check="e2e", outcome="not_run"),
        ),
        changed_files=tuple(ChangedFile(path=path, operation="edit") for path in ("src/auth/guard.ts", "/")),
        gates=(Gate(tool="shell", outcome="deny"),),
        findings=tuple(
            Finding(rule="rule", severity="error", message="", refs=refs)
            for refs in (
                ("f1",), ("v1",), ("v2",), ("lint",), ("src/auth/guard.ts",), ("/",), ("gates[0]",), (),
                ("decisions[0]", "v2"),
            )
        ),
    )  # fmt: skip
    record = replace(record, task=replace(record.task, required_checks=(Check(name="lint"),)))
    found = [finding.fingerprint or "" for finding in fingerprinted(record).findings]
    digest = found[0].rpartition(":")[2]
    assert found == [
        f"rule:pytest:tests/a:{digest}",
        f"rule:unit:tests/a:{digest}",
        "rule:e2e:.:-",
        "rule:lint:.:-",
        "rule:-:src/auth:-",
        "rule:-:.:-",
        "rule:shell:.:-",
        "rule:-:.:-",
        "rule:e2e:.:-",
    ]
    assert fingerprinted(fingerprinted(record)) == fingerprinted(record)


def test_judged_records_have_fingerprints() -> None:
    """A command that failed and was never repeated is found by one name in runs that share nothing else."""
    one, other = (
        judge(
            replace(
                _record(_command(line, tail), failures=(Failure(id="f1", command=line, command_id="c1"),)), run_id=line
            )
        )
        for line, tail in _texts("pytest-assertion")
    )
    (first,), (second,) = (
        [each.fingerprint for each in record.findings if each.rule == "failure-not-resolved"] for record in (one, other)
    )
    assert first == second
    assert first is not None
    assert first.startswith("failure-not-resolved:pytest:tests/auth:")
