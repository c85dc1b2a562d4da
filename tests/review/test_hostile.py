"""Hostile records through every form in which a record is told: a table of texts and forms, and what holds for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.contract import Contract, Incidents, RuleChoice
from agent_otel.model.record import RunRecord
from agent_otel.review.audit import Audit
from agent_otel.review.contracted import audit
from agent_otel.review.diagnosis.diagnose import diagnose
from agent_otel.review.diagnosis.text import as_text as diagnosis_as_text
from agent_otel.review.diff import as_text as diff_as_text, compare
from agent_otel.review.digest import BYTES_PER_TOKEN, digest
from agent_otel.review.formats.plain import ascii_json
from agent_otel.review.formats.summary import BUDGET as SUMMARY_BYTES, as_summary
from agent_otel.review.formats.table import FORMATS
from agent_otel.review.incidents.find import incidents
from agent_otel.review.judge import judge
from agent_otel.review.note import BUDGET as NOTE_CHARACTERS, note
from agent_otel.review.postmortems.page import Frame, page
from agent_otel.review.text import as_markdown, as_text
from agent_otel.review.verified.found import Found, Place, named_files
from agent_otel.review.verified.text import as_text as verified_as_text
from agent_otel.review.verified.verify import Verified, verify
from agent_otel.review.verified.weakened import ChangedTest
from hostile_records import ATTACKS, saying
from inert import is_annotations, is_inert, is_json, is_our_markdown, is_sarif, is_xml, starts_no_command

DIGEST_TOKENS: Final = 50_000
HUGE: Final = ["A" * 20_000, "::" + "<b>|`" * 4_000]
PAGE: Final = Frame(trigger="redo", written=date(2026, 5, 18), owner="::error::@team <b>")
OTHER: Final = RunRecord(run_id="other", lifecycle="settled", outcome="ended")


def audited(record: RunRecord) -> list[Audit]:
    """The record held to a contract that ignores a rule, so that both kinds of findings are there."""
    return [audit(record, Contract(rules=RuleChoice(ignore={"no-handoff": "they report elsewhere"})))]


def verified(record: RunRecord) -> Verified:
    """The record's evidence, of which nothing is there, in a repository whose tests were weakened."""
    text = record.run_id
    weaker = ChangedTest(path=text, operation=text, signs=(text,), assertions_removed=1)
    found = {path: Found(problem=text) for path in named_files(record)}
    return verify(record, found, Place(trees=(text,), tests=(weaker,)))


def as_json(told: object) -> str:
    """As commands print it."""
    return ascii_json(msgspec.to_builtins(told))


class Form(NamedTuple):
    """A form in which a record is told, and what holds whatever the record says."""

    tell: Callable[[RunRecord], str]
    holds: tuple[Callable[[str], None], ...]
    most: int | None = None
    """How long it may be; where it has no budget, it may not be much longer than what the record says."""


def in_format(name: str) -> Callable[[RunRecord], str]:
    """A format of audits."""
    return lambda record: FORMATS[name](audited(record), "warning")


FORMS: Final = {
    "show": Form(as_text, (is_inert, starts_no_command)),
    "show --markdown": Form(as_markdown, (is_inert, starts_no_command, is_our_markdown)),
    "note": Form(note, (is_inert, starts_no_command, is_our_markdown), NOTE_CHARACTERS),
    "digest": Form(lambda record: digest(record, budget=DIGEST_TOKENS), (is_inert, starts_no_command),
                   DIGEST_TOKENS * BYTES_PER_TOKEN),
    "diff": Form(lambda record: diff_as_text(compare(record, OTHER)), (is_inert, starts_no_command)),
    "diff --json": Form(lambda record: as_json(compare(OTHER, record)), (is_inert, is_json)),
    "diagnose": Form(lambda record: diagnosis_as_text(diagnose(record)), (is_inert, starts_no_command)),
    "diagnose --json": Form(lambda record: as_json(diagnose(record)), (is_inert, starts_no_command, is_json)),
    "verify": Form(lambda record: verified_as_text(verified(record)), (is_inert, starts_no_command)),
    "verify --json": Form(lambda record: as_json(verified(record)), (is_inert, starts_no_command, is_json)),
    "postmortem new": Form(lambda record: page([record, OTHER], PAGE), (is_inert, starts_no_command, is_our_markdown)),
    "postmortem new, of a near-miss": Form(lambda record: page([OTHER, record], replace(PAGE, trigger="near-miss")),
                                           (is_inert, starts_no_command, is_our_markdown)),
    "incidents": Form(lambda record: as_json(incidents(audited(record), Incidents())), (is_inert, is_json)),
    "summary": Form(lambda record: as_summary(audited(record)), (is_inert, starts_no_command, is_our_markdown),
                    SUMMARY_BYTES),
    "text": Form(in_format("text"), (is_inert, starts_no_command)),
    "json": Form(in_format("json"), (is_inert, starts_no_command, is_json)),
    "sarif": Form(in_format("sarif"), (is_inert, starts_no_command, is_json, is_sarif)),
    "github": Form(in_format("github"), (is_inert, is_annotations)),
    "gitlab": Form(in_format("gitlab"), (is_inert, starts_no_command, is_json)),
    "junit": Form(in_format("junit"), (is_inert, starts_no_command, is_xml)),
}  # fmt: skip


def hold(form: Form, record: RunRecord, said: str) -> None:
    """Holds a form to what has to hold for it."""
    told = form.tell(record)
    for holds in form.holds:
        holds(told)
    assert len(told.encode()) <= (form.most or 100_000 + 400 * len(said.encode("utf-8", "surrogatepass")))


def test_every_format_is_in_the_table() -> None:
    """A new one has to say what holds for it."""
    assert set(FORMATS) <= set(FORMS)


@pytest.mark.parametrize("number", range(len(ATTACKS) + len(HUGE)))
@pytest.mark.parametrize("name", FORMS)
def test_no_form_is_broken_by_a_hostile_text(name: str, number: int) -> None:
    """The text stands wherever a record has text, judged and as a file may claim to be judged."""
    text = [*ATTACKS, *HUGE][number]
    for record in (saying(text), judge(saying(text))):
        hold(FORMS[name], record, text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(st.characters(exclude_categories=[]), max_size=60), name=st.sampled_from(sorted(FORMS)))
def test_no_form_is_broken_by_any_text(text: str, name: str) -> None:
    """Lone surrogates and unassigned characters too."""
    hold(FORMS[name], judge(saying(text)), text)
