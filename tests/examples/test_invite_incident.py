"""``examples/invite_incident.py``: what the store has of both runs."""

import re
from pathlib import Path

import pytest

from agent_otel.review.diagnosis.diagnose import diagnose, diagnose_check
from agent_otel.review.diagnosis.text import as_text
from agent_otel.review.note import note
from agent_otel.store.sqlite import SqliteStore

NOTES = Path(__file__).parents[1] / "data" / "notes"
DIAGNOSES = Path(__file__).parents[1] / "data" / "review" / "diagnoses"


@pytest.fixture
def records(start, examples, tmp_path):
    """The records of the bad run and of the harnessed one, as they were stored."""
    database = tmp_path / "elsewhere" / "runs.db"
    done = start(examples / "invite_incident.py", "--db", database)
    assert (done.returncode, done.stderr) == (0, "")
    store = SqliteStore(database)
    try:
        harnessed, bad = store.records()
        assert f"only a summary: {bad.review_state}\n" in done.stdout
        assert f"under a contract: {harnessed.review_state}\n" in done.stdout
        assert all(f"agent-otel show {each.run_id} --db {database}\n" in done.stdout for each in (bad, harnessed))
        return bad, harnessed
    finally:
        store.close()


def findings(record):
    """The rules that found something, in order, without repetition."""
    return list(dict.fromkeys(finding.rule for finding in record.findings))


def test_the_bad_run_has_nothing_behind_its_words(records):
    """Its claim is a finding, and so is that there is nothing else."""
    bad, _ = records
    assert bad.review_state == "incomplete"
    assert {"only-summary", "claim-without-command", "no-handoff"} <= set(findings(bad))
    assert [claim.text for claim in bad.claims] == ["I fixed the redirect after SSO. All tests pass, also in Firefox."]
    assert (bad.commands, bad.files_inspected, bad.changed_files) == ((), (), ())


def test_the_harnessed_run_names_what_is_missing(records):
    """Missing required evidence: both browsers, each by name, and for the runway to fix."""
    _, harnessed = records
    assert harnessed.review_state == "missing required evidence"
    missing = [finding for finding in harnessed.findings if finding.rule == "missing-required-check"]
    assert [("Chromium" in each.message, "Firefox" in each.message) for each in missing] == [
        (True, False),
        (False, True),
    ]
    assert [each.layer for each in missing] == ["runway", "runway"]
    assert {finding.severity for finding in harnessed.findings if finding not in missing} <= {"info"}


def test_the_harnessed_run_shows_what_it_knew_did_and_believed(records):
    """Reads with reasons, a resolved failure, rejected alternatives, a proved check, a handoff with a blocker."""
    _, record = records
    assert [bool(read.reason) for read in record.files_inspected] == [True, True, True]
    assert [(command.command, command.result) for command in record.commands] == [
        ("pnpm test invite", "failed"),
        ("pnpm test invite", "passed"),
        ("pnpm preview status", "failed"),
    ]
    assert [(changed.path, changed.read_before) for changed in record.changed_files] == [
        ("src/routes/invite/[token].ts", True)
    ]
    assert record.failures[0].resolved_by == record.commands[1].id
    assert [bool(other.reason) for other in record.decisions[0].alternatives] == [True, True]
    assert [check.verdict for check in record.verifications] == ["proved", "not_run", "not_run"]
    assert [check.required for check in record.verifications] == [True, True, True]
    assert len(record.skipped_checks) == 2
    assert record.open_risks == ("first-login analytics event not verified",)
    assert record.handoff.status == record.final_status == "patch with blocker"
    assert record.handoff.blockers == ("e2e not run: preview service unavailable",)


@pytest.mark.parametrize("place", [0, 1], ids=["only-summary", "harnessed"])
def test_the_review_note_is_the_golden_one(records, place):
    """Byte for byte, but for what differs between any two runs: ids, times and lengths of time."""
    record = records[place]
    golden = NOTES / f"invite-{('only-summary', 'harnessed')[place]}.md"
    assert alike(note(record), record) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("place", [0, 1], ids=["only-summary", "harnessed"])
def test_the_diagnosis_is_the_golden_one(records, place):
    """Firefox: nobody had asked the bad run for it; the harnessed one found the preview down."""
    record = records[place]
    golden = DIAGNOSES / f"invite-{('only-summary', 'harnessed')[place]}.txt"
    asked = as_text(diagnose_check(record, "e2e: invite-flow in Firefox"))
    assert alike(f"{as_text(diagnose(record))}\n{asked}", record) == golden.read_text(encoding="utf-8")


def alike(text, record):
    """The text with a fixed run id, start and times."""
    text = text.replace(record.run_id, "RUN").replace(record.started, "STARTED")
    return re.sub(r"\b[0-9.]+ m?s\b", "0 s", text)
