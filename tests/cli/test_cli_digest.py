"""``agent-otel digest``: a run for a reviewing agent, within a budget."""

from __future__ import annotations

from pathlib import Path

RECORD = Path(__file__).parents[1] / "data" / "records" / "v1.json"


def test_digest_is_told_from_wherever_the_run_is(invoke, source) -> None:
    """A database or a processor, by id or as the last run."""
    result = invoke("digest", "run-1", *source)
    assert result.exit_code == 0
    assert "State, computed from evidence: incomplete\n" in result.stdout
    assert '- "pytest -q": failed (exit 1, 500 ms)\n' in result.stdout
    assert invoke("digest", *source).stdout == invoke("digest", "run-2", *source).stdout


def test_budget_comes_from_the_option_or_the_environment(invoke) -> None:
    """What does not fit is counted; an option wins over the environment."""
    short = invoke("digest", "--file", RECORD, "--budget", "230", AGENT_OTEL_DIGEST_BUDGET="2000").stdout
    assert len(short.encode()) <= 230 * 4
    assert "more left out" in short
    assert invoke("digest", "--file", RECORD, AGENT_OTEL_DIGEST_BUDGET="230").stdout == short


def test_a_budget_that_checks_do_not_fit_into_is_misuse(invoke) -> None:
    """A digest without them would lie."""
    result = invoke("digest", "--file", RECORD, "--budget", "20")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the checks of this run that did not pass need" in result.stderr
