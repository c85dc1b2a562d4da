"""The examples' README, and the review in the README: every command is run, and prints what stands below it."""

import json
import re
import shlex
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "examples" / "README.md"
BLOCKS = re.findall(r"^```console\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
FAILS = "--policy rogue"
REVIEW = re.search(
    r"^### From finding to decision$(.*?)^### ",
    (README.parents[1] / "README.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)[1]


def steps(block: str) -> list[tuple[str, str]]:
    """Commands, each with the output that is promised."""
    return [
        (part.partition("\n")[0], part.partition("\n")[2]) for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]


def as_pattern(promised: str) -> str:
    """A pattern in which … stands for anything; what is promised is the beginning."""
    return ".*".join(re.escape(part) for part in promised.rstrip("\n").split("…"))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0].removeprefix("$ ").replace("/", "_"))
def test_the_readme_shows_what_the_examples_print(start, examples, block):
    """Each command of a block is run in one folder, exits as it should, and prints nothing on standard error."""
    for command, promised in steps(block):
        program, *arguments = shlex.split(command)
        if program == "agent-otel":
            done = start("-m", "agent_otel", *arguments)
        else:
            done = start(examples.parent / arguments[0], *arguments[1:])
        assert (done.returncode, done.stderr) == (1 if command.endswith(FAILS) else 0, "")
        assert re.match(as_pattern(promised), done.stdout, re.DOTALL), done.stdout


def test_the_readme_reviews_a_run(start, examples):
    """From the finding to the decision, in one folder: the audit fails as long as it promises errors."""
    review = "".join(re.findall(r"^```console\n(.*?)^```$", REVIEW, re.MULTILINE | re.DOTALL))
    for command, promised in steps(review):
        program, *arguments = shlex.split(command)
        if program == "python":
            done = start(examples.parent / arguments[0])
            tree = json.loads(start("-m", "agent_otel", "show", "last", "--json").stdout)["final"]["tree"]
        else:
            done = start("-m", "agent_otel", *(tree if word.endswith("…") else word for word in arguments))
        fails = arguments[0] == "audit" and "  error  " in promised
        assert (done.returncode, done.stderr) == (int(fails), ""), command
        assert re.match(as_pattern(promised), done.stdout, re.DOTALL), done.stdout


def test_every_example_is_described():
    """Each program of the folder stands in the table."""
    programs = [path.name for path in README.parent.glob("*.py")] + [
        f"{path.parent.name}/" for path in README.parent.glob("*/__main__.py")
    ]
    text = README.read_text(encoding="utf-8")
    assert [name for name in programs if f"| [`{name}`]({name}) |" not in text] == []
