"""Patterns in general: no false alarm in real runs, tags of people, no dependence on order, and little room."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.limits import DENIALS_UNTOLD, PATHS_UNTOLD, UNORDERED
from agent_otel.model.record import ChangedFile, Command, Gate, RunRecord
from agent_otel.model.versions import from_builtins
from agent_otel.review.patterns.find import sightings
from agent_otel.review.patterns.observed import Observed, observed
from agent_otel.review.patterns.shape import Tag
from agent_otel.review.patterns.table import PATTERNS
from agent_otel.text.terminal import printable
from dialect_cases import CASES, name_of
from hostile_records import ATTACKS, records
from pattern_runs import cases, records_of

EVERY = [observed(each) for case in cases().values() for each in records_of(case["runs"])]


def _captured(name: str) -> list[RunRecord]:
    (case,) = (case for case in CASES if name_of(case) == name)
    return [from_builtins(each) for each in msgspec.json.decode((case / "records.json").read_bytes())]


@pytest.mark.parametrize("name", [name_of(case) for case in CASES])
def test_runs_of_real_agents_show_no_pattern(name: str) -> None:
    """They were given a clear task, read what they edited, and went no way around a refusal."""
    assert sightings(map(observed, _captured(name))) == ()


def test_runs_of_real_agents_show_none_together() -> None:
    """Several agents were refused the same push, and none did it."""
    assert sightings(observed(each) for case in CASES for each in _captured(name_of(case))) == ()


@pytest.mark.parametrize("name", ["claude-code/stuck", "codex/stuck", "copilot-cli/stuck"])
def test_a_refusal_of_a_real_agent_is_known_again(name: str) -> None:
    """Where the push that it was refused is done after all, in its own run or in a later one."""
    (refused,) = _captured(name)
    pushed = Command(id="c99", command="git push origin main", result="passed")
    (found,) = sightings([observed(replace(refused, commands=(*refused.commands, pushed)))])
    assert found.said == "'git push origin main' was denied and then allowed, in 1 run"
    later = replace(refused, run_id="later", started="2099-01-01T00:00:00.000Z", commands=(pushed,), gates=())
    (found,) = sightings([observed(later), observed(refused)])
    assert found.said == "'git push origin main' was denied in 1 run, and ran in 1 later run"
    assert found.runs == (refused.run_id, "later")


@pytest.mark.parametrize(
    ("said", "is_correction"),
    [
        ("Add a docstring to fizzbuzz and check that the tests still pass.", False),
        ("No tests for the empty list exist; add one.", False),
        ("Thanks. Now return [] instead of None there, too.", False),
        ("Add an undo button.", False),
        ("Users should not see this page.", False),
        ("No, only the upper bound is wrong.", True),
        ("That's not what I asked for.", True),
        ("I meant the function, not the test.", True),
        ("You should not have touched the tests. Please undo that.", True),
        ("Looks good, but revert the change of the test.", True),
        ("Don\u2019t touch test_fizzbuzz.py", True),
        ("Leave the signature as it was.", True),
        ("To be clear: Python 3.10 has to work.", True),
    ],
)
def test_what_a_person_says_after_the_fact(said: str, is_correction: bool) -> None:
    """A correction shows that the request could be read otherwise; the next request of a session does not."""
    (record,) = _captured("codex/followup")
    assert record.task.follow_ups == ("Add a docstring to fizzbuzz and check that the tests still pass.",)
    found = sightings([observed(replace(record, task=replace(record.task, follow_ups=(said,))))])
    assert [each.said for each in found] == (
        [f"the task states no scope and no acceptance, and it was corrected later on: “{said}”"]
        if is_correction
        else []
    )


def test_work_that_is_thrown_away_between_two_requests() -> None:
    """The next one was not what the first had come to."""
    (record,) = _captured("codex/followup")
    undone = Command(id="c99", command="git checkout -- .", result="passed")
    (found,) = sightings([observed(replace(record, commands=(*record.commands, undone)))])
    assert found.said == "the task states no scope and no acceptance, and its work was rolled back in between"
    assert found.refs == (f"{record.run_id} task", f"{record.run_id} c99")
    kept = replace(undone, result="failed")
    assert sightings([observed(replace(record, commands=(*record.commands, kept)))]) == ()


def test_what_telemetry_cannot_show_is_no_pattern() -> None:
    """Without an order nothing came then, a refusal may look like a pass, and files may have been read unseen."""
    for name, limit in (
        ("escalation-denied-then-allowed", UNORDERED),
        ("escalation-in-another-run", DENIALS_UNTOLD),
        ("unfamiliar-area", PATHS_UNTOLD),
    ):
        records = records_of(cases()[name]["runs"])
        limited = [replace(each, capture=replace(each.capture, limits=(limit,))) for each in records]
        found = sightings(map(observed, limited))
        assert [each.said for each in found if "person" not in each.said] == []


def test_lost_telemetry_hides_reads() -> None:
    """What was dropped on the way may have been a read."""
    records = records_of(cases()["unfamiliar-area"]["runs"])
    assert sightings(observed(replace(each, capture=replace(each.capture, root_seen=False))) for each in records) == ()


@given(st.permutations(range(len(EVERY))))
def test_the_order_of_the_runs_does_not_matter(order: list[int]) -> None:
    """Stores list runs in any order."""
    seen = [replace(run, run_id=str(place)) for place, run in enumerate(EVERY)]
    assert sightings(seen[place] for place in order) == sightings(seen)


def test_people_tag_what_no_record_tells() -> None:
    """Any pattern, with the page that says so; its area is that of the first run that is known to have one."""
    (record,) = (each for each in records_of(cases()["unfamiliar-area-oriented"]["runs"]) if each.run_id == "a")
    tag = Tag(pattern="aspirational-rule", runs=("gone", record.run_id), where="postmortems/a.md", title="No\x1b bugs")
    (found,) = sightings([observed(record)], tags=[tag, Tag(pattern="no-such", runs=(), where="b.md", title="")])
    assert found.said == r"tagged in postmortems/a.md: No\x1b bugs"
    assert (found.runs, found.refs, found.layer) == (tag.runs, (tag.where,), "harness rules")
    assert found.area == "src/billing"
    (unknown,) = sightings([], tags=[tag])
    assert unknown.area == "."


def test_a_pattern_is_told_in_words() -> None:
    """Each says what it means and what helps, and finds nothing in nothing."""
    assert sightings([]) == ()
    assert all(each.means and each.helps and each.layer for each in PATTERNS.values())


def test_much_is_held_in_little_room() -> None:
    """A run of thousands of commands, refusals and questions has a digest of a few kilobytes."""
    commands = tuple(
        Command(id=f"c{n}", command=f"make target-{n}", result="denied" if n % 2 else "passed") for n in range(5000)
    )
    gates = tuple(Gate(tool=f"tool-{n}", outcome="require_approval") for n in range(500))
    run = observed(replace(_captured("codex/fix")[0], commands=commands, gates=gates))
    assert len(msgspec.msgpack.encode(run)) < 16_000
    assert isinstance(run, Observed)


@given(st.lists(records(), max_size=3))
@settings(max_examples=25, deadline=None)
def test_whatever_runs_hold_is_said_in_one_line(found: list[RunRecord]) -> None:
    """No control character, no line feed and nothing invisible of theirs."""
    seen = [observed(replace(record, run_id=f"{place}")) for place, record in enumerate(found)]
    assert all(each.said == printable(each.said) for each in sightings(seen))


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_words_are_quoted_inert(attack: str) -> None:
    """What a person said, what was refused, and which file was edited."""
    (record,) = _captured("codex/followup")
    task = replace(record.task, follow_ups=(f"No, I meant {attack}",))
    refused = (
        Command(id="c98", command=f"push {attack}", result="denied"),
        Command(id="c99", command=f"push {attack}", result="passed"),
    )
    changed = (ChangedFile(path=f"src/a/{attack}", operation="edit", read_before=False, source=("tool",)),)
    found = sightings([observed(replace(record, task=task, commands=refused, changed_files=changed))])
    assert {"ambiguous-request", "escalation-mistuned"} <= {each.pattern for each in found}
    assert all(each.said == printable(each.said) for each in found)
