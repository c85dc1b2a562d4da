"""What is planted in the history: stories of a few runs each, and the incidents that each of them is.

Beside each trigger stand decoys just below its threshold, which are no incident.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

TRUNK: Final = "main"


class Late(NamedTuple):
    """What CI says of a run so many hours after its beginning."""

    check: str
    exit_code: int
    hours: float


class Caught(NamedTuple):
    """What a reviewer caught that every check let pass, so many hours after the run's beginning."""

    by: str
    what: str
    file: str
    hours: float


class Step(NamedTuple):
    """A run of a story: the variant or capture, when after the story's beginning it begins, and how long it takes.

    ``task`` tells tasks of one story apart, ``branch`` is where it works; of which run it is said to be the redo,
    ``again`` tells by its place. A captured run takes as long as it took.
    """

    variant: str
    days: float = 0.0
    hours: float = 0.0
    minutes: float = 20.0
    task: str = ""
    branch: str = TRUNK
    late: Late | None = None
    caught: Caught | None = None
    again: int | None = None

    @property
    def after(self) -> timedelta:
        """When it begins."""
        return timedelta(days=self.days, hours=self.hours)


Shown = tuple[tuple[str, tuple[int, ...]], ...]
"""What there is to find, by its name, and the places of its runs among the steps."""


class Story(NamedTuple):
    """Some runs, the incidents and patterns that they are; their first day and repository, where that matters."""

    about: str
    steps: tuple[Step, ...]
    incidents: Shown = ()
    patterns: Shown = ()
    day: float | None = None
    repository: str = ""


CAME_BACK: Final = "the same failing tests every ten days"
STOPPED: Final = "a check that two agents did not run, ten days apart"
TOO_EARLY: Final = "tests that two programs do not get to pass"
REJECTED: Final = "twice, and twice again a month later"
"""Stories of which pages were written, and what became of their changes and ideas."""


STORIES: Final = (
    # -- redo: a task that was done again ------------------------------------------------------------------------------
    Story(
        "repaired wrongly, and rightly three hours later",
        (Step("broken"), Step("done", hours=3)),
        (("redo", (0, 1)),),
    ),
    Story("repaired rightly within 50 minutes", (Step("broken"), Step("done", hours=0.5))),
    Story(
        "a refactoring of a module that nobody asked for, for five hours, thrown away and done in one",
        (Step("refactoring", minutes=305), Step("done", hours=6)),
        (("redo", (0, 1)),),
    ),
    Story(
        "four attempts in two days",
        (Step("broken"), Step("interrupted", hours=4), Step("broken", hours=22), Step("done", hours=46)),
        (("redo", (0, 1, 2, 3)), ("recurrence", (0, 1, 2))),
    ),
    Story(
        "two tasks by their words, one by its branch",
        (Step("broken", task="tax", branch="fix/tax"), Step("done", hours=4, task="fees", branch="fix/tax")),
        (("redo", (0, 1)),),
    ),
    Story(
        "two tasks by their words, both on the trunk",
        (Step("broken", task="tax"), Step("done", hours=4, task="fees")),
    ),
    Story(
        "one task by its files, for nobody said a word",
        (Step("broken, unnamed"), Step("done, unnamed", hours=2)),
        (("redo", (0, 1)),),
    ),
    Story(
        "two tasks by every sign, one by what somebody says, who did not want the first",
        (Step("done", task="tax"), Step("done", hours=4, task="fees", again=0)),
        (("redo", (0, 1)),),
    ),
    Story("the redo comes after two weeks and a day", (Step("broken"), Step("done", days=15))),
    Story("good, and bad a day later", (Step("done"), Step("broken", days=1))),
    Story(
        "killed twice, and nobody knows whether the third was accepted",
        (Step("codex/killed"), Step("codex/killed", hours=2), Step("codex/fix", hours=5)),
        (("redo", (0, 1)), ("recurrence", (0, 1))),
    ),
    # -- redo: time that was lost inside of a run ----------------------------------------------------------------------
    Story("the same failing command for two hours", (Step("stubborn", minutes=120),), (("redo", (0,)),)),
    Story("the same failing command for 50 minutes", (Step("stubborn", minutes=50),)),
    Story("rolled back after three hours", (Step("refactoring", minutes=200),), (("redo", (0,)),)),
    # -- the same failure in two weeks ---------------------------------------------------------------------------------
    Story(
        STOPPED,
        (Step("unchecked", task="one"), Step("unchecked", days=10, task="two")),
        (("recurrence", (0, 1)),),
        day=3,
    ),
    Story(
        "a check that two agents did not run, fifteen days apart",
        (Step("unchecked", task="one"), Step("unchecked", days=15, task="two")),
    ),
    Story(
        CAME_BACK,
        (Step("broken", task="one"), Step("broken", days=10, task="two"), Step("broken", days=20, task="three")),
        (("recurrence", (0, 1, 2)),),
        day=20,
    ),
    Story(
        REJECTED,
        (
            Step("rogue", task="one"),
            Step("rogue", days=2, task="two"),
            Step("rogue", days=32, task="three"),
            Step("rogue", days=33, task="four"),
        ),
        (("recurrence", (0, 1)), ("recurrence", (2, 3))),
        day=40,
    ),
    Story(
        "an API that answers 400 to two sessions in nine days",
        (Step("claude-code/apifail", task="one"), Step("claude-code/apifail", days=9, task="two")),
        (("recurrence", (0, 1)),),
    ),
    Story(
        "an API that answers 400 to two sessions in fifteen days",
        (Step("copilot-cli/apifail", task="one"), Step("copilot-cli/apifail", days=15, task="two")),
    ),
    Story(
        TOO_EARLY,
        (Step("codex/stuck", task="one"), Step("copilot-cli/stuck", days=6, task="two")),
        (("recurrence", (0, 1)),),
        day=105,
    ),
    Story(
        "CI finds the same end-to-end test failing after two handoffs",
        (
            Step("done", task="one", late=Late("checkout e2e", 1, 3)),
            Step("done", days=8, task="two", late=Late("checkout e2e", 1, 5)),
        ),
        (("recurrence", (0, 1)),),
    ),
    Story(
        "CI finds the same end-to-end test passing after two handoffs",
        (
            Step("done", task="one", late=Late("login e2e", 0, 3)),
            Step("done", days=8, task="two", late=Late("login e2e", 0, 5)),
        ),
    ),
    Story(
        "handed over in ten minutes, found wrong by CI, and done again six hours later",
        (Step("done", minutes=10, late=Late("export e2e", 1, 3)), Step("done", hours=6, late=Late("export e2e", 0, 8))),
        (("redo", (0, 1)),),
    ),
    # -- what was denied -----------------------------------------------------------------------------------------------
    Story(
        "a tag that is denied, and made two days later",
        (Step("tag refused"), Step("tagged", days=2)),
        patterns=(("escalation-mistuned", (0, 1)),),
    ),
    Story(
        "leave that was asked for twelve times, and given",
        (Step("asking"), Step("asking", days=1), Step("asking", days=2)),
        patterns=(("escalation-mistuned", (0, 1, 2)),),
        repository="shop",
    ),
    Story(
        "leave that was asked for eight times, and given",
        (Step("asking"), Step("asking", days=1)),
        repository="billing",
    ),
    Story("a tag that is made, and denied two days later", (Step("tagged"), Step("tag refused", days=2))),
    # -- what was asked for --------------------------------------------------------------------------------------------
    Story(
        "a task that does not say when it is done, given again two days later with that",
        (Step("done, unstated"), Step("done", days=2)),
        patterns=(("ambiguous-request", (0, 1)),),
    ),
    Story("a task that does not say when it is done, twice", (Step("done, unstated"), Step("done, unstated", days=2))),
    Story(
        "a task that does not say when it is done, and two days later another that does",
        (Step("done, unstated", task="one"), Step("done", days=2, task="two")),
    ),
    # -- near-misses ---------------------------------------------------------------------------------------------------
    Story(
        "a change of another module that a reviewer saw",
        (Step("blind", caught=Caught("ada", "guests without a word are told their number in quotes", "words.py", 5)),),
        (("near-miss", (0,)),),
    ),
    Story(
        "what a reviewer saw in one of two runs",
        (
            Step("done", task="one"),
            Step("done", days=2, task="two", caught=Caught("bob", "the limit is untested", "", 1)),
        ),
        (("near-miss", (1,)),),
    ),
    # -- what fails and is no incident ---------------------------------------------------------------------------------
    Story(
        "git is asked for what there is not, three times in a week",
        (Step("lost", task="one"), Step("lost", days=3, task="two"), Step("lost", days=6, task="three")),
    ),
    Story(
        "a push that is denied, three times in a week",
        (Step("refused", task="one"), Step("refused", days=3, task="two"), Step("refused", days=6, task="three")),
    ),
    Story(
        "an edit without a look, three times in a week",
        (Step("blind", task="one"), Step("blind", days=3, task="two"), Step("blind", days=6, task="three")),
    ),
    Story("one failure, once", (Step("broken"),)),
    Story("killed, once", (Step("gemini-cli/killed"),)),
    Story("a session and its sub-agent", (Step("claude-code/subagent"),)),
)
"""All of them; each is about files, checks and tasks of its own."""
