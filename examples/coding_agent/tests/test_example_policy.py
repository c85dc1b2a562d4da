"""The fixed policy, from observations alone."""

from __future__ import annotations

from coding_agent.policy import Action, Call, CodingAgentPolicy, Finish, Observation, State

import agent_otel
from agent_otel.testing import Recorded

FAILED = agent_otel.CommandResult(id="1", command="python3 -m unittest tests.test_fizz", result="failed", exit_code=1)
PASSED = agent_otel.CommandResult(id="2", command="python3 -m unittest tests.test_fizz", result="passed", exit_code=0)
STORY = (
    Observation("repair it"),
    Observation("README.md\nsrc/fizz.py\ntests/test_fizz.py"),
    Observation("fizz(limit) includes its limit"),
    Observation("AssertionError: 14 != 15", FAILED),
    Observation("from src.fizz import fizz\n"),
    Observation("    return [word(number) for number in range(1, limit)]"),
    Observation("edited"),
    Observation("OK", PASSED),
)


def play(story: tuple[Observation, ...]) -> tuple[list[Action], list[str]]:
    """The actions of a fresh policy, and the states it was in."""
    policy = CodingAgentPolicy()
    actions, states = [], []
    for observation in story:
        actions.append(policy.next_action(observation))
        states.append(actions[-1].phase if isinstance(actions[-1], Call) else policy.state.value)
    return actions, states


def test_it_goes_through_its_states_in_order() -> None:
    """Survey, tests, inspection, repair, verification; then it stops."""
    actions, states = play(STORY)
    assert list(dict.fromkeys(states)) == [state.value for state in State]
    assert isinstance(actions[-1], Finish)
    assert actions[-1].status == "fixed"


def test_the_same_observations_give_the_same_actions() -> None:
    """Nothing but what it sees decides."""
    assert play(STORY) == play(STORY)


def test_it_edits_what_it_has_read() -> None:
    """The file that the failing test imports is read before it is edited, and the range then includes its end."""
    actions, _ = play(STORY)
    calls = [action for action in actions if isinstance(action, Call)]
    touched = [(call.tool, call.arguments["path"]) for call in calls if "path" in call.arguments]
    assert touched[-2:] == [("read_file", "src/fizz.py"), ("edit_file", "src/fizz.py")]
    edit = next(call for call in calls if call.tool == "edit_file")
    assert (edit.arguments["old"], edit.arguments["new"]) == ("range(1, limit)", "range(1, limit + 1)")


def test_it_stops_where_the_tests_pass_already() -> None:
    """There is nothing to repair."""
    actions, _ = play((*STORY[:3], Observation("OK", PASSED)))
    assert isinstance(actions[-1], Finish)
    assert actions[-1].status == "nothing to do"


def test_it_gives_up_on_what_it_does_not_know() -> None:
    """Without a range that stops short it edits nothing."""
    actions, _ = play((*STORY[:5], Observation("def fizz(): ...")))
    assert isinstance(actions[-1], Finish)
    assert actions[-1].status == "gave up"


def test_it_does_not_call_a_failed_check_fixed() -> None:
    """What the last command did is what it says."""
    actions, _ = play((*STORY[:7], Observation("FAILED", FAILED)))
    assert isinstance(actions[-1], Finish)
    assert actions[-1].status == "not fixed"


def test_it_says_what_failed_and_why_it_chose(recorded: Recorded) -> None:
    """The record has its failure with a suspected cause, and its decision with two rejected alternatives."""
    with agent_otel.run("Repair it", scope=[], exclusions=[]):
        play(STORY)
    record = recorded.record
    assert [(failure.error, failure.suspected_cause) for failure in record.failures if failure.source == "agent"] == [
        ("14 != 15", "the game ends one number early")
    ]
    (decision,) = record.decisions
    assert [bool(other.reason) for other in decision.alternatives] == [True, True]
    assert decision.based_on == ("README.md",)
