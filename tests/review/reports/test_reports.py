"""Reports of test and coverage tools: what tools really write, and what strangers do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.compaction.shell.counts import counts
from agent_otel.errors import DecodeError, TooLarge
from agent_otel.model.record import LARGEST_EVIDENCE, Counts
from agent_otel.review.reports.report import MOST_FAILING, Coverage, told, went_wrong
from agent_otel.review.reports.table import COVERAGE, READERS, TESTS, read_report

DATA = Path(__file__).parents[2] / "data" / "reports"


def read(data: bytes | str, **more):
    """The report in these bytes."""
    return read_report(data.encode() if isinstance(data, str) else data, tally=counts, **more)


def tallied(passed: int, failed: int = 0, skipped: int = 0, errors: int = 0) -> Counts:
    """Numbers of a report, which knows all four."""
    return Counts(passed=passed, failed=failed, skipped=skipped, errors=errors)


def suite(inside: str, **attributes: object) -> str:
    """A suite with these elements in it."""
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<testsuites><testsuite{said}>{inside}</testsuite></testsuites>"


WRITTEN = {
    "pytest.xml": (tallied(3, 1, 2, 2), 0.023,
                   ("test_fizz.test_many[4]", "test_fizz.test_service", "test_fizz.test_teardown")),
    "jest.xml": (tallied(2, 1, 1), 0.067, ("fizz four.fizz four",)),
    "gotestsum.xml": (tallied(1, 2, 1), 0.0, ("example.com/fizz.TestFour/empty", "example.com/fizz.TestFour")),
    "surefire.xml": (tallied(1, 1, 1, 1), 0.427, ("demo.FizzTest.breaks", "demo.FizzTest.four")),
    "gradle.xml": (tallied(1, 1, 1), 1204.5, ("demo.FizzTest.four()",)),
    "nested.xml": (tallied(2), 0.03, ()),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_reports_of_tests_are_read_as_their_tools_write_them(name: str) -> None:
    """Numbers, time and failing tests are those of the cases, in whatever suites they stand."""
    data = (DATA / name).read_bytes()
    report = read(data, expected=TESTS)
    assert (report.counts, report.duration_s, report.failing) == WRITTEN[name]
    assert (report.form, report.unnamed, report.coverage) == ("junit", 0, None)
    assert (report.sha256, report.size) == (hashlib.sha256(data).hexdigest(), len(data))


COVERED = {
    "cobertura.xml": ("cobertura", Coverage(covered=24, total=26), 92.31),
    "cobertura-jest.xml": ("cobertura", Coverage(covered=0, total=0), 0.0),
    "coverage.json": ("coverage-json", Coverage(covered=24, total=26), 92.31),
    "coverage.lcov": ("lcov", Coverage(covered=24, total=26), 92.31),
    "cover.out": ("go-cover", Coverage(covered=3, total=3, unit="statements"), 100.0),
}


@pytest.mark.parametrize("name", COVERED)
def test_totals_of_coverage_are_read_as_their_tools_write_them(name: str) -> None:
    """Three formats of one run of coverage.py tell the same; a document type is no entity."""
    data = (DATA / name).read_bytes()
    report = read(data, expected=COVERAGE)
    assert report.coverage is not None
    assert (report.form, report.coverage, report.coverage.percent) == COVERED[name]
    assert (report.counts, report.sha256) == (None, hashlib.sha256(data).hexdigest())


def test_anything_else_is_a_log() -> None:
    """Its digest counts, and the numbers of its last summary where a tool is recognised."""
    data = (DATA / "maven.log").read_bytes()
    report = read(data)
    assert (report.form, report.counts, report.sha256) == ("log", tallied(1, 1, 1, 1), hashlib.sha256(data).hexdigest())
    for text in ("all good", "", '{"totals": 3}', "<html></html>", "<", "\0\xff"):
        assert (read(text).form, read(text).counts) == ("log", None)


CASES = {
    "an empty suite": (suite(""), tallied(0), 0),
    "a case without a name": (suite("<testcase><failure/></testcase>"), tallied(0, 1), 1),
    "a failure counts, whatever else is said": (suite("<testcase><skipped/><failure/></testcase>"), tallied(0, 1), 1),
    "an error counts before a failure": (suite("<testcase><failure/><error/></testcase>"), tallied(0, errors=1), 1),
    "flaky, and passed in the end": (suite("<testcase><flakyFailure/></testcase>"), tallied(1), 0),
    "left out, as googletest says": (suite('<testcase status="notrun"/>'), tallied(0, skipped=1), 0),
    "failed, as some say by a status alone": (suite('<testcase status="FAILED"/>'), tallied(0, 1), 1),
    "a status of no meaning": (suite('<testcase status="run"/>'), tallied(1), 0),
    "a suite that broke": (suite('<error message="no such module"/>', name="setup"), tallied(0, errors=1), 1),
    "a suite that failed without a name": (suite("<failure/>"), tallied(0, errors=1), 1),
    "names of namespaces": (
        '<testsuites xmlns="urn:x"><testsuite><testcase><failure/></testcase></testsuite></testsuites>',
                            tallied(0, 1), 1),
    "outputs that quote cases": (suite("<system-out>&lt;testcase/&gt;</system-out><testcase/>"), tallied(1), 0),
    "with a mark of its encoding": ("\ufeff" + suite("<testcase/>"), tallied(1), 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_what_stands_inside_of_it(case: str) -> None:
    """One outcome each, and nothing counts twice."""
    text, expected, named = CASES[case]
    report = read(text, expected=TESTS)
    assert (report.counts, len(report.failing)) == (expected, named)


def test_the_cases_count_and_not_what_suites_say() -> None:
    """Suites that say more than there are cases are told of; those that say less are not worth a word."""
    report = read(suite("<testcase/>", tests=142, failures=1, errors="many"), expected=TESTS)
    assert report.counts == tallied(1)
    assert report.remarks == ("its suites say tests=142, its cases are 1", "its suites say failures=1, its cases are 0")
    assert read(suite("<testcase/><testcase/>", tests=1, failures="9" * 40)).remarks == ()


def test_names_of_failed_tests_are_bounded() -> None:
    """The first ones are named, the others counted."""
    cases = "".join(f'<testcase name="{"t" * 1000}{number}"><error/></testcase>' for number in range(MOST_FAILING + 5))
    report = read(suite(cases))
    assert (len(report.failing), report.unnamed, went_wrong(report.counts)) == (MOST_FAILING, 5, MOST_FAILING + 5)
    assert max(map(len, report.failing)) == 300


@pytest.mark.parametrize("time", ["", "soon", "-1", "nan", "inf", "1e999"])
def test_a_time_that_is_none_is_left_out(time: str) -> None:
    """The case counts all the same."""
    report = read(suite(f'<testcase time="{time}"/>'))
    assert (report.counts, report.duration_s) == (tallied(1), None)


BOMB = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"><testcase/></testsuite>'
OUTSIDE = '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>'
DAMAGED = {
    "a bomb of entities": (BOMB, "entities of its own"),
    "a file from outside": (OUTSIDE, "entities of its own"),
    "cut in a case": (suite("<testcase/>")[:-20], "not XML"),
    "cut after its first element": ("<testsuite>", "not XML"),
    "something behind it": (suite("") + "<more/>", "not XML"),
    "elements without end": ("<testsuite>" + "<a>" * 300 + "</a>" * 300 + "</testsuite>", "deeper than 200"),
    "coverage without totals": ("<coverage line-rate='1'/>", "'lines-valid'"),
    "coverage of no number": ("<coverage lines-valid='9' lines-covered='x'/>", "lines-covered: expected a number"),
    "coverage of one total": ("<coverage lines-valid='9'/>", "lines-covered: expected a number, got ''"),
    "coverage cut": ("<coverage lines-valid='9' lines-covered='9'>", "not XML"),
    "coverage in other JSON": ('{"totals": {"covered_lines": "x"}}', "not the JSON of coverage.py"),
    "coverage below nothing": ('{"totals": {"covered_lines": -1, "num_statements": 1}}', "not the JSON of coverage.py"),
    "coverage in JSON cut": ('{"totals": {"covered_lines": 1', "not the JSON of coverage.py"),
    "a tracefile cut": ("TN:\nSF:a.py\nDA:1,1\n", "breaks off"),
    "a tracefile cut in its second record": ("SF:a\nend_of_record\nSF:b\n", "breaks off"),
    "a profile of no blocks": ("mode: set\nnonsense\n", "line 2 is no block"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_report_is_refused_with_what_is_wrong(case: str) -> None:
    """It is never taken for one that counts nothing."""
    text, why = DAMAGED[case]
    with pytest.raises(DecodeError, match=why):
        read(text)


@pytest.mark.parametrize(
    ("expected", "text", "why"),
    [
        (TESTS, "142 passed", "expected a report of the form junit; this looks like a plain log"),
        (TESTS, "<coverage lines-valid='1' lines-covered='1'/>", "this looks like Cobertura XML"),
        (COVERAGE, suite(""), "cobertura or coverage-json or go-cover or lcov; this looks like JUnit XML"),
        (TESTS, "<", "this looks like a plain log"),
    ],
    ids=["log", "coverage", "tests", "no root"],
)
def test_a_form_that_was_asked_for_is_the_only_one_taken(expected, text: str, why: str) -> None:
    """The error says what it looks like."""
    with pytest.raises(DecodeError, match=why):
        read(text, expected=expected)


def test_a_huge_report_is_refused() -> None:
    """Its size decides before anything is read."""
    with pytest.raises(TooLarge, match="may have"):
        read(b" " * (LARGEST_EVIDENCE + 1))


def test_an_encoding_that_nobody_knows_is_an_error() -> None:
    """And one that is known is read."""
    with pytest.raises(DecodeError, match="expected a report of the form junit"):
        read(b'<?xml version="1.0" encoding="x-none"?><testsuite/>', expected=TESTS)
    wide = '<?xml version="1.0" encoding="utf-16"?><testsuite><testcase/></testsuite>'.encode("utf-16")
    assert read(wide).counts == tallied(1)


def test_lines_and_blocks_count_once() -> None:
    """Of what several tests ran, one that did is enough."""
    traced = "SF:a\nDA:1,0\nDA:2,0\nend_of_record\nSF:a\nDA:1,4,checksum\nFN:1,f\nend_of_record\n"
    assert read(traced).coverage == Coverage(covered=1, total=2)
    profile = "mode: atomic\na.go:1.1,2.2 3 0\na.go:1.1,2.2 3 7\na.go:3.1,4.2 5 0\n"
    assert read(profile).coverage == Coverage(covered=3, total=8, unit="statements")


@pytest.mark.parametrize(
    ("counted", "text"),
    [
        (tallied(141), "141 passed"),
        (tallied(1, 2, 3, 1), "1 passed, 2 failed, 3 skipped, 1 error"),
        (Counts(errors=2), "0 passed, 2 errors"),
    ],
)
def test_numbers_are_told_for_people(counted: Counts, text: str) -> None:
    """What is none is left out, but for what passed."""
    assert told(counted) == text


def test_nothing_went_wrong_where_nothing_counts() -> None:
    """A log that tells no numbers tells of no failures."""
    assert went_wrong(None) == 0


@settings(deadline=None)
@given(st.binary(max_size=300) | st.sampled_from(sorted(WRITTEN) + sorted(COVERED)).flatmap(
    lambda name: st.integers(0, 4000).map(lambda end: (DATA / name).read_bytes()[:end])
))  # fmt: skip
def test_whatever_comes_is_a_report_or_an_error_of_ours(data: bytes) -> None:
    """Cut anywhere, or of no sense at all."""
    try:
        report = read(data)
    except DecodeError:
        return
    assert report.size == len(data)
    assert report.form in {reader.form for reader in READERS} | {"log"}


OUTCOMES = {"passed": "<testcase/>", "failed": "<testcase><failure/></testcase>",
            "skipped": "<testcase><skipped/></testcase>", "errors": "<testcase><error/></testcase>"}  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=30), st.randoms(use_true_random=False))
def test_order_and_suites_do_not_matter(words: list[str], random) -> None:
    """Cases count the same wherever they stand."""
    shuffled = random.sample(words, len(words))
    cut = random.randint(0, len(words))
    one = suite("".join(OUTCOMES[word] for word in words))
    halves = [suite("".join(OUTCOMES[word] for word in part))[12:-13] for part in (shuffled[:cut], shuffled[cut:])]
    assert read(one).counts == read(f"<testsuites>{''.join(halves)}</testsuites>").counts
    assert read(one).counts == Counts(**{word: words.count(word) for word in OUTCOMES})
