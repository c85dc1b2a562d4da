"""Evidence held against what is there: each way in which a file, a tree or a number leaves less of a verdict."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.record import (
    Added,
    Capture,
    ChangedFile,
    Claim,
    Command,
    Counts,
    EvidenceFile,
    Final,
    Handoff,
    Output,
    RunRecord,
    Verification,
)
from agent_otel.review.judge import judge
from agent_otel.review.reports.report import Coverage, Report
from agent_otel.review.verified.found import Found, Place, named_files
from agent_otel.review.verified.text import as_text
from agent_otel.review.verified.verify import WEAKNESS, verify
from agent_otel.review.verified.weakened import ChangedTest

D1, D2, D3 = "1" * 64, "2" * 64, "3" * 64
TREE, OTHER = "f" * 40, "0" * 40
BEFORE, START, AFTER = "2026-05-18T09:00:00.000Z", "2026-05-18T09:05:00.000Z", "2026-05-18T09:05:09.000Z"
AT = Place(trees=(TREE,), tests=())


def file(path: str = "report.xml", sha256: str | None = D1, **fields) -> EvidenceFile:
    """A file as the record has it."""
    return EvidenceFile(path=path, sha256=sha256, bytes=9, **fields)


def there(passed: int = 141, failed: int = 0, *, sha256: str = D1, form="junit", **fields) -> Found:
    """A report that was found, with these numbers."""
    known = {"counts": Counts(passed=passed, failed=failed, skipped=0, errors=0),
             "failing": ("a.test_b",) * failed}  # fmt: skip
    return Found(sha256=sha256, report=Report(form=form, sha256=sha256, size=9, **{**known, **fields}))


def run(number: int = 1, **fields) -> Command:
    """A command seen to pass on the final tree."""
    known = {"command": "pytest -q", "result": "passed", "exit_code": 0, "observer": "harness", "tree": TREE}
    return Command(id=f"c{number}", started=START, **{**known, **fields})


def check(number: int = 1, **fields) -> Verification:
    """A declared pass of ``unit`` by the first command and its report."""
    known = {"check": "unit", "outcome": "pass", "level": "bound", "evidence": ("c1",), "command_id": "c1",
             "command": "pytest -q", "files": (file(),)}  # fmt: skip
    return Verification(id=f"v{number}", **{**known, **fields})


def record(*checks: Verification, **fields) -> RunRecord:
    """A judged record with these checks."""
    known = {"run_id": "r", "lifecycle": "settled", "outcome": "ended", "final": Final(tree=TREE),
             "capture": Capture(root_seen=True, complete=True), "commands": (run(),)}  # fmt: skip
    return judge(RunRecord(**{**known, "verifications": checks or (check(),), **fields}))


CI = Added(id="a1", source="ci", exit_code=0)
FAILED = {"result": "failed", "exit_code": 1}
NOBODY = {"evidence": ("report.xml",), "command_id": None, "command": None}
CASES = {
    "as it was recorded": (record(), there(), "proved", "bound", "it counts 141 passed"),
    "bound by its command": (
        record(check(files=()), commands=(run(files=(file(),)),)),
        there(),
        "proved",
        "bound",
        "141",
    ),
    "another digest": (record(), there(sha256=D2), "contradicted", "observed", "now it has 222222222222…"),
    "not there": (record(), Found(problem="it is not there"), "unverifiable", "observed", "it is not there"),
    "not looked for": (record(), None, "unverifiable", "observed", "was not looked for"),
    "as it was, and damaged": (record(), Found(sha256=D1, problem="not XML"), "unverifiable", "bound", "not XML"),
    "too large to be hashed": (
        record(check(files=(file(sha256=None),))),
        there(),
        "unverifiable",
        "observed",
        "too large",
    ),
    "it counts failures": (
        record(),
        there(140, 1),
        "contradicted",
        "bound",
        "declared a pass, and it counts 140 passed, 1 failed: a.test_b",
    ),
    "it counts many": (record(), there(1, 9), "contradicted", "bound", "a.test_b, a.test_b, a.test_b, …"),
    "it counts some it does not name": (record(), there(1, 1, unnamed=2), "contradicted", "bound", "a.test_b, …"),
    "a log that counts failures": (
        record(),
        there(1, 1, form="log", failing=()),
        "contradicted",
        "bound",
        "1 passed, 1 failed",
    ),
    "no test ran": (record(), there(0), "unverifiable", "bound", "no test ran in it: 0 passed"),
    "no numbers at all": (record(), there(counts=None), "unverifiable", "bound", "no test ran in it: nothing"),
    "suites that say more": (
        record(),
        there(remarks=("its suites say tests=9",)),
        "proved",
        "bound",
        "its suites say tests=9",
    ),
    "coverage": (
        record(),
        there(form="lcov", counts=None, coverage=Coverage(covered=1, total=2)),
        "proved",
        "bound",
        "50.0 % of 2 lines",
    ),
    "a log by its digest": (record(), there(form="log", counts=None), "proved", "bound", "its digest is all there is"),
    "all of an output": (
        record(commands=(run(output=Output(sha256=D1)),)),
        there(form="log"),
        "proved",
        "bound",
        "all that 'pytest -q' printed",
    ),
    "older than its command": (
        record(check(files=(file(modified=BEFORE),))),
        there(),
        "stale",
        "bound",
        "written before 'pytest -q' started",
    ),
    "older than the command that wrote it": (
        record(check(files=()), commands=(run(files=(file(modified=BEFORE),)),)),
        there(),
        "stale",
        "bound",
        "written before",
    ),
    "written by its command": (record(check(files=(file(modified=AFTER),))), there(), "proved", "bound", "141"),
    "older than a command of no known start": (
        record(check(files=(file(modified=BEFORE),)), commands=(replace(run(), started=None),)),
        there(),
        "proved",
        "bound",
        "141",
    ),
    "only a file": (record(check(**NOBODY)), there(), "unverifiable", "bound", "no command shows"),
    "only a file, which is gone": (record(check(**NOBODY)), Found(problem="gone"), "unverifiable", "claimed", "gone"),
    "as the agent reports": (
        record(commands=(run(observer="agent"),)),
        Found(problem="gone"),
        "claimed",
        "claimed",
        "gone",
    ),
    "only a name": (
        record(check(files=(), evidence=("c1", "report.xml"), level="observed")),
        there(),
        "proved",
        "observed",
        "no digest was recorded",
    ),
    "only a name, of failures": (
        record(check(files=(), evidence=("c1", "report.xml"), level="observed")),
        there(1, 1),
        "contradicted",
        "observed",
        "1 failed",
    ),
    "only a name, of nothing": (
        record(check(files=(), evidence=("c1", "report.xml"), level="observed")),
        Found(problem="gone"),
        "unverifiable",
        "observed",
        "gone",
    ),
    "its command failed": (record(commands=(run(**FAILED),)), there(), "contradicted", "bound", "exit 1"),
    "declared a failure": (
        record(check(outcome="fail"), commands=(run(**FAILED),)),
        there(1, 1),
        "failed",
        "bound",
        "declared a failure, and it counts",
    ),
    "unknown, and it counts failures": (
        record(check(outcome="unknown")),
        there(1, 1),
        "failed",
        "bound",
        "it counts 1 passed, 1 failed",
    ),
    "less than its output": (
        record(check(counts=Counts(passed=142))),
        there(),
        "unverifiable",
        "bound",
        "its output counts 142 passed, and its reports only 141 passed",
    ),
    "more than its output": (record(check(counts=Counts(passed=140))), there(), "proved", "bound", "141"),
    "an output of problems": (record(check(counts=Counts(errors=0))), there(), "proved", "bound", "141"),
    "more than its reports by its own words": (
        record(check(reason="142 tests passed")),
        there(),
        "contradicted",
        "bound",
        "it says 142 passed",
    ),
    "as many by its own words": (record(check(reason="141 tests passed")), there(), "proved", "bound", "141"),
    "added later, and elsewhere": (
        record(check(added=CI, level="attested", tree=TREE, evidence=(), command_id=None, command=None)),
        Found(problem="gone"),
        "proved",
        "attested",
        "gone; it was read when ci added it",
    ),
    "added later, and forged": (
        record(check(added=CI, level="attested", tree=TREE, evidence=(), command_id=None, command=None)),
        there(sha256=D2),
        "contradicted",
        "attested",
        "now it has",
    ),
    "words without a number": (record(check(reason="all tests pass")), there(), "proved", "bound", "141"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_verdict_is_what_the_evidence_leaves_of_it(case: str) -> None:
    """With the level, and the reason in words."""
    of, found, verdict, level, why = CASES[case]
    result = verify(of, {} if found is None else {"report.xml": found}, AT)
    (entry,) = result.checks
    assert (entry.verdict, entry.level, result.proved) == (verdict, level, verdict == "proved")
    assert WEAKNESS[entry.verdict] >= WEAKNESS[entry.recorded]
    told = as_text(result)
    assert why in told
    assert all(f"{each.check}: {verdict}" in told for each in result.checks if verdict != "proved")


def test_another_tree_than_the_run_left_makes_everything_stale() -> None:
    """Where there is a repository, and the run recorded its tree; that of the last commit is as good."""
    found = {"report.xml": there()}
    assert verify(record(), found, Place(trees=(OTHER,), tests=())).checks[0].verdict == "stale"
    assert verify(record(), found, Place(trees=(OTHER, TREE), tests=())).proved
    assert verify(record(), found, Place()).proved
    assert "the repository is at 000000000000" in as_text(verify(record(), found, Place(trees=(OTHER,))))
    assert "no repository to compare it with" in as_text(verify(record(), found))
    unknown = record(final=Final(), commands=(run(tree=None),))
    assert "did not record" in as_text(verify(unknown, found, AT))


def test_a_report_written_again_later_is_no_contradiction() -> None:
    """The earlier check cannot be verified any more; the later one is what counts."""
    later = check(2, evidence=("c2",), command_id="c2", files=(file(sha256=D2),))
    of = record(check(), later, commands=(run(1), run(2)))
    result = verify(of, {"report.xml": there(sha256=D2)}, AT)
    assert [(each.verdict, each.counts) for each in result.checks] == [("unverifiable", False), ("proved", True)]
    assert result.proved
    assert "a later one decides" in as_text(result)
    assert "written again later in the run" in as_text(result)
    result = verify(of, {"report.xml": there(sha256=D3)}, AT)
    assert [each.verdict for each in result.checks] == ["contradicted", "contradicted"]


def test_a_report_that_makes_its_own_check_stale_is_told() -> None:
    """A file that git does not ignore is part of the tree."""
    changed = (ChangedFile(path="report.xml", operation="create", source=("git",)),)
    of = record(commands=(run(tree=OTHER),), changed_files=changed)
    assert "let git ignore reports" in as_text(verify(of, {"report.xml": there()}, AT))


def claimed(text: str, of: RunRecord) -> RunRecord:
    """The record of a run that says so at its end."""
    return judge(replace(of, claims=(Claim(text=text),)))


CLAIMS = {
    "more than the report counts": ("All 142 tests pass.", record(), "contradicted"),
    "what the report counts": ("All 141 tests pass.", record(), "proved"),
    "no number": ("All tests pass.", record(), "proved"),
    "more than the report, as the output": (
        "142 tests passed",
        record(check(counts=Counts(passed=142))),
        "unverifiable",
    ),
    "of a check without a command": ("All 142 tests pass.", record(check(**NOBODY)), "contradicted"),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_claims_are_held_against_the_reports(case: str) -> None:
    """A contradicted one is not proved, however well the checks stand; nor is the status of the handoff."""
    text, of, verdict = CLAIMS[case]
    result = verify(claimed(text, of), {"report.xml": there()}, AT)
    assert result.claims[0].verdict == verdict
    assert any("contradicted" in line for line in result.unproved) == (verdict == "contradicted")
    assert f'{verdict}: "' in as_text(result)
    handed = judge(replace(of, handoff=Handoff(status=text)))
    assert verify(handed, {"report.xml": there()}, AT).claims[0].verdict == verdict


def test_nothing_checked_is_nothing_proved() -> None:
    """It says so; a required check that nothing ran is named as any other."""
    empty = judge(RunRecord(run_id="r", lifecycle="settled", outcome="ended", handoff=Handoff(next_action="merge")))
    assert verify(empty, {}).unproved == ("nothing was checked",)
    skipped = record(check(outcome="not_run", evidence=(), files=(), command_id=None, command=None, level=None))
    assert verify(skipped, {}).unproved == ("unit: not run: nothing in the record ran it",)


def test_tests_of_the_run_stand_beside_the_checks_that_rely_on_them() -> None:
    """A linter does not; where there was no diff to read, the record alone tells which files changed."""
    weaker = ChangedTest(path="tests/test_a.py", operation="edit", skips_added=1, signs=("+ @skip",))
    lint = check(2, check="ruff", kind="lint", evidence=("c2",), command_id="c2", command="ruff check", files=())
    of = record(check(), lint, commands=(run(), run(2, command="ruff check")))
    result = verify(of, {"report.xml": there()}, Place(trees=(TREE,), tests=(weaker,)))
    assert [each.tests for each in result.checks] == [(weaker,), ()]
    assert "      weakened  tests/test_a.py: edited, 1 skip added\n          + @skip\n" in as_text(result)
    changed = (ChangedFile(path="tests/test_b.py", operation="delete"), ChangedFile(path="src/b.py", operation="edit"))
    result = verify(replace(of, changed_files=changed), {"report.xml": there()}, Place())
    assert [each.tests for each in result.checks] == [(ChangedTest(path="tests/test_b.py", operation="delete"),), ()]
    assert "1 test file changed in the run (no diff to read):" in as_text(result)


def test_each_file_is_named_once() -> None:
    """Those of checks, of the commands they name, and what is named without a digest."""
    of = record(check(evidence=("c1", "log.txt", "report.xml")), check(2), commands=(run(files=(file("out.xml"),)),))
    assert named_files(of) == ("report.xml", "out.xml", "log.txt")


def test_hostile_words_are_inert() -> None:
    """Nothing that a run, a report or a diff says reaches the terminal as it is."""
    evil = "\x1b[2J\u202e\n::error::x"
    of = record(check(check=evil, files=(file(evil),)), run_id=evil)
    weaker = ChangedTest(path=evil, operation=evil, signs=(evil,))
    result = verify(
        claimed(f"All 9 tests pass {evil}", of), {evil: there(1, 1, failing=(evil,))}, Place(tests=(weaker,))
    )
    told = as_text(result)
    assert not {"\x1b", "\u202e"} & set(told)
    assert not any(line.startswith("::") for line in told.splitlines())


FILES = st.lists(
    st.tuples(st.sampled_from(["a.xml", "b.xml", "c.log"]), st.sampled_from([D1, D2, None])), max_size=4, unique=True
)
SEEN = st.dictionaries(
    st.sampled_from(["a.xml", "b.xml", "c.log"]),
    st.sampled_from([there(), there(3, 1), there(0), there(sha256=D2), Found(problem="gone")]),
)


@settings(deadline=None)
@given(FILES, SEEN, st.sampled_from(["pass", "fail", "unknown"]), st.randoms(use_true_random=False))
def test_the_order_of_evidence_does_not_matter(files, seen, outcome, shuffle: random.Random) -> None:
    """Verdict, level and numbers are the same."""
    bound = [file(path, digest) for path, digest in files]
    shuffled = shuffle.sample(bound, len(bound))
    one, other = (
        verify(record(check(outcome=outcome, files=tuple(each))), seen, AT).checks[0] for each in (bound, shuffled)
    )
    assert (one.verdict, one.level, set(one.reasons), set(one.files)) == (
        other.verdict, other.level, set(other.reasons), set(other.files))  # fmt: skip


@settings(deadline=None)
@given(FILES, FILES, SEEN, st.sampled_from(["pass", "fail", "unknown"]), st.booleans())
def test_more_evidence_never_hides_a_failure(files, more, seen, outcome, failed) -> None:
    """A verdict can only fall, by whatever is added to its files."""
    commands = (run(**FAILED) if failed else run(),)
    few = [file(path, digest) for path, digest in files]
    many = [*few, *(each for path, digest in more if (each := file(path, digest)) not in few)]
    verdicts = [
        verify(record(check(outcome=outcome, files=tuple(each)), commands=commands), seen, AT).checks[0].verdict
        for each in ([], few, many)
    ]
    bad = [verdict in ("failed", "contradicted") for verdict in verdicts]
    assert bad[0] <= bad[1]
    # A second digest of one path says that the file was written again: then it cannot be told which one is right.
    if len({path for path, _ in {*files, *more}}) == len({*files, *more}):
        assert bad[1] <= bad[2]
