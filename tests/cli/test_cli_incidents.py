"""``agent-otel incidents``: what deserves a post-mortem, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

FINGERPRINT = "failure-not-resolved:pytest:.:faaba62b"
TOLD = f"""\
1. recurrence, 2026-05-18 to 2026-05-18: the same failure in 2 runs within 1 day: pytest -q failed and nothing later \
resolved it: exit code 1
   runs: run-1, run-2
   failures: {FINGERPRINT}
1 incident to write a post-mortem about
"""


def test_the_same_failure_in_two_runs_is_told(invoke, source) -> None:
    """Once for a run and its sub-agent; with exit code 1, so that CI notices."""
    result = invoke("incidents", *source, "--since", "2026-05-01")
    assert (result.exit_code, result.stdout) == (1, TOLD)


def test_programs_read_incidents_as_json(invoke, database: Path) -> None:
    """With what people read, and since when was looked."""
    result = invoke("incidents", "--db", database, "--since", "2026-05-01", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["since"] == "2026-05-01T00:00:00.000Z"
    (incident,) = told["incidents"]
    assert incident["trigger"] == "recurrence"
    assert incident["runs"] == ["run-1", "run-2"]
    assert incident["fingerprints"] == [FINGERPRINT]


def test_where_there_is_none_the_exit_code_is_0(invoke, database: Path) -> None:
    """Nothing of late, nothing by one agent, nothing by the thresholds of the contract."""
    Path("patient.toml").write_text("[incidents]\nrecurrence = 3\n")
    since = ("--db", database, "--since", "2026-05-01")
    for asked in (("--db", database), (*since, "--agent", "fixer"), (*since, "--contract", "patient.toml")):
        result = invoke("incidents", *asked)
        assert (result.exit_code, result.stdout) == (0, "no incidents\n")


def test_what_the_contract_ignores_is_no_incident(invoke, database: Path) -> None:
    """As in an audit."""
    Path("agent-otel.toml").write_text('[rules.ignore]\nfailure-not-resolved = "they are looked at elsewhere"\n')
    assert invoke("incidents", "--db", database, "--since", "2026-05-01").exit_code == 0


def test_misuse_has_another_exit_code(invoke, database: Path) -> None:
    """CI must not take it for an incident."""
    assert invoke("incidents", "--db", "nowhere.db").exit_code == 2
    Path("wrong.toml").write_text("[incidents]\nrecurrence = 0\n")
    result = invoke("incidents", "--db", database, "--contract", "wrong.toml")
    assert result.exit_code == 2
    assert "'recurrence' must be between 2 and 10000" in result.stderr


def test_what_has_a_page_is_left_out_until_it_comes_back(invoke, database: Path) -> None:
    """A page about all of its runs; one about some of them, or a file that is no page, is not enough."""
    asked = ("incidents", "--db", database, "--since", "2026-05-01")
    Path("postmortems").mkdir()
    Path("postmortems/notes.md").write_text("nothing yet")
    for runs, expected in (("run-1",), 1), (("run-1", "run-2"), 0):
        assert invoke("postmortem", "new", *runs, "--db", database, "--folder", "_".join(runs)).exit_code == 0
        assert invoke(*asked, "--postmortems", "_".join(runs)).exit_code == expected
    assert invoke(*asked).exit_code == 1
