"""The formats of an audit: the bytes they make of a known one, and what a hostile one cannot do to them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft4Validator

from agent_otel.model.record import ChangedFile, FileInspected, Finding, RunRecord
from agent_otel.review.audit import SEVERITIES, Audit, Ignored, at_least, failed
from agent_otel.review.formats.github import as_github
from agent_otel.review.formats.junit import as_junit
from agent_otel.review.formats.places import place
from agent_otel.review.formats.sarif import as_sarif
from agent_otel.review.formats.summary import BUDGET, as_summary
from agent_otel.review.formats.table import FORMATS
from agent_otel.review.formats.text import as_text
from agent_otel.text.terminal import printable
from hostile_records import ATTACKS, records

DATA = Path(__file__).parents[2] / "data"
SARIF = Draft4Validator(json.loads((DATA / "schemas" / "sarif-schema-2.1.0.json").read_text()))
ENDINGS = {"text": "txt", "github": "txt", "junit": "xml"}
COMMAND = re.compile(r"::(error|warning|notice) (file=[^,:\n]+,)?title=agent-otel(%3A [^,:\n]*)?::[^\n]*")


def found(rule: str = "off-limits", severity="error", message: str = "m", *refs: str, **more) -> Finding:
    """A finding."""
    return Finding(rule=rule, severity=severity, message=message, refs=refs, **more)


def audited(*findings: Finding, ignored: tuple[Ignored, ...] = (), **fields) -> Audit:
    """An audit of a run with these findings."""
    known = {"run_id": "run-1", "lifecycle": "settled", "outcome": "ended", "review_state": "done"}
    return Audit(RunRecord(**known | fields, findings=findings), ignored)


KNOWN = (
    audited(
        found("gate-denied", "info", "shell was denied: 50% {x} [y]", "gates[0]", layer="harness rules"),
        found("off-limits", "error", ".github/ci.yml was changed, and '.github/**' is off limits", ".github/ci.yml",
              layer="hooks"),
        found("unread-edit", "warning", "src/a b.py was edited without having been read", "src/a b.py",
              layer="context"),
        found("theirs", "warning", "a rule of another version"),
        ignored=(Ignored(found("no-handoff", "warning", "no handoff", layer="handoff"), "they report elsewhere"),),
        review_state="failing",
        changed_files=(ChangedFile(path=".github/ci.yml", operation="edit"),
                       ChangedFile(path="src/a b.py", operation="edit")),
    ),
    audited(run_id="run-2"),
)  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_known_audit_has_known_bytes(name: str) -> None:
    """Each format, held to a file."""
    golden = DATA / "audits" / f"{name}.{ENDINGS.get(name, 'json')}"
    assert FORMATS[name](KNOWN, "error") == golden.read_text(encoding="utf-8")


def test_a_known_audit_has_a_known_summary() -> None:
    """The summary of the job, held to a file."""
    assert as_summary(KNOWN) == (DATA / "audits" / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_no_audit_is_a_document_too(name: str) -> None:
    """Nothing in, and what comes out is still read by whoever reads the format."""
    text = FORMATS[name]([], "error")
    if name == "junit":
        assert ET.fromstring(text).tag == "testsuites"
    elif name in ("json", "sarif", "gitlab"):
        json.loads(text)


@pytest.mark.parametrize(
    ("fail_on", "counting", "fails"),
    [("error", ["error"], True), ("warning", ["error", "warning", "warning"], True), ("info", 4, True)],
)
def test_severities_are_ordered(fail_on, counting, fails) -> None:
    """What is at or above a severity; a run without findings never fails."""
    severities = sorted(each.severity for each in at_least(KNOWN[0].record.findings, fail_on))
    assert severities == counting or len(severities) == counting
    assert failed(KNOWN, fail_on) is fails
    assert not failed(KNOWN[1:], fail_on)


@pytest.mark.parametrize("fail_on", SEVERITIES)
def test_sarif_is_valid(fail_on) -> None:
    """Against the schema of OASIS, which the log names."""
    log = json.loads(as_sarif(KNOWN, fail_on))
    assert log["$schema"] == SARIF.schema["id"]
    SARIF.validate(log)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_hostile_sarif_is_valid(record: RunRecord) -> None:
    """Whatever a run said; an ignored finding is a suppressed one."""
    log = json.loads(as_sarif([Audit(record, tuple(Ignored(each, "x") for each in record.findings))], "error"))
    SARIF.validate(log)
    results = log["runs"][0]["results"]
    assert sum("suppressions" in each for each in results) == len(record.findings) == len(results) / 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_hostile_text_is_inert(record: RunRecord) -> None:
    """No format lets a control character, an unseen one or a bidirectional override through."""
    audits = [Audit(record, tuple(Ignored(each, ATTACKS[0]) for each in record.findings))]
    for form in (*(FORMATS[name] for name in FORMATS), lambda found, _: as_summary(found)):
        told = form(audits, "warning")
        assert printable(told, keep_newlines=True) == told
    for name in ("json", "sarif", "gitlab"):
        json.loads(FORMATS[name](audits, "warning"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_hostile_xml_is_well_formed(record: RunRecord) -> None:
    """It can be parsed, and has as many failures as it says."""
    (suite,) = ET.fromstring(as_junit([Audit(record)], "error"))
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_every_line_of_annotations_is_one_of_ours(record: RunRecord) -> None:
    """What a run said starts no workflow command, and ends no property."""
    for line in as_github([Audit(record)], "error").splitlines():
        assert COMMAND.fullmatch(line), line


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_every_line_of_text_is_one_of_ours(record: RunRecord) -> None:
    """A finding is a line, whatever it says."""
    lines = as_text([Audit(record)], "error").splitlines()
    assert len(lines) == 2 + len(record.findings)


def test_annotations_are_escaped_as_the_toolkit_does() -> None:
    """Per cent first; colons and commas where a property would end."""
    told = as_github([audited(found("a:b,c", "error", "100%\n::error::x", "a,b.py"),
                              changed_files=(ChangedFile(path="a,b.py", operation="edit"),))], "error")  # fmt: skip
    assert told == "::error file=a%2Cb.py,title=agent-otel%3A a%3Ab%2Cc::100%25\\n::error::x (run run-1)\n"


def test_annotations_beyond_ten_are_counted() -> None:
    """GitHub drops the eleventh of a kind: the tenth says how many there are."""
    told = as_github([audited(*(found(message=f"m{n}") for n in range(13)), found(severity="info"))], "error")
    lines = told.splitlines()
    assert len(lines) == 11
    assert lines[9] == "::error title=agent-otel::and 4 more; the job summary has them"
    ten = as_github([audited(*(found(message=f"m{n}") for n in range(10)))], "error")
    assert "more" not in ten
    assert ten.count("\n") == 10


def test_summary_stays_within_its_budget() -> None:
    """What does not fit is counted; GitHub takes nothing of a summary that is too large."""
    audits = [audited(*(found(message="é" * 5000 + str(n)) for n in range(700)))]
    told = as_summary(audits)
    assert BUDGET - 5000 < len(told.encode()) <= BUDGET
    shown = told.count("| error |")
    assert told.endswith(f"\n… and {700 - shown} more: the whole record has them\n")
    assert len(as_summary(audits, budget=200).encode()) <= 200


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../b", "~/.ssh", "", "a\nb", "C:\\x", "http://evil.example/x", "a//b", "a\u202eb"],
)
def test_a_place_is_inside_of_the_repository(path: str) -> None:
    """A forge opens what it is told to."""
    record = audited(changed_files=(ChangedFile(path=path, operation="edit"),)).record
    assert place(found("r", "error", "m", path), record) is None


def test_a_place_is_a_file_of_the_record() -> None:
    """The first reference that is a file which was changed or read; a command's id is none."""
    record = audited(
        changed_files=(ChangedFile(path="b.py", operation="edit"),), files_inspected=(FileInspected(path="a.py"),)
    ).record
    assert place(found("r", "error", "m", "c1", "a.py", "b.py"), record) == "a.py"
    assert place(found("r", "error", "m", "c.py", "b.py"), record) == "b.py"
    assert place(found("r", "error", "m", "c1"), record) is None
