"""Every query for PostgreSQL of every panel is asked of a real one, filled by real runs, for several time ranges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from boards.all import DASHBOARDS
from boards.queries import POSTGRES, Sql

from real.grafana import Range

README = Path(__file__).resolve().parents[2] / "README.md"
PANELS = {
    f"{dashboard.name}: {panel.title}": (dashboard, panel, query)
    for dashboard in DASHBOARDS
    for panel in dashboard.panels()
    for query in panel.queries
    if isinstance(query, Sql)
}
RANGES: Mapping[str, Callable[[Range], Range]] = {
    "everything": lambda whole: whole,
    "a year": lambda whole: Range(whole.end_s - 366 * 86_400, whole.end_s),
    "the last two days": lambda whole: Range(whole.end_s - 2 * 86_400, whole.end_s),
    "before there was anything": lambda _: Range(1_000_000_000, 1_000_003_600),
    "a second": lambda whole: Range(whole.end_s - 1, whole.end_s),
}
SOME = ("everything", "a year", "the last two days")
"""The ranges with runs of every kind in them."""

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def ask(fleet) -> Callable[[str], Rows]:
    """Asks the database, as a reader with no more rights than the README gives."""
    (block,) = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    grants, _ = block.rsplit("\n\n", 1)

    def rows(statement: str) -> Rows:
        with psycopg.connect(fleet.db, row_factory=psycopg.rows.dict_row) as connection:
            for each in ("CREATE ROLE grafana", grants, "SET ROLE grafana"):
                connection.execute(each)
            found = connection.execute(statement).fetchall()
            connection.rollback()  # the role was made for this question alone
            return found

    return rows


@pytest.fixture
def choose(ask, fleet) -> Callable[..., Range]:
    """A time range with the variables of a dashboard, all values of each unless told otherwise."""

    def chosen(dashboard, range_: Range, **given: list[str]) -> Range:
        found = {
            variable["name"]: [next(iter(row.values())) for row in ask(range_.sql(variable["query"]))]
            for variable in dashboard.variables
            if variable["type"] == "query" and variable["datasource"] == POSTGRES.ref()
        }
        found["run_id"] = [next(each["run_id"] for each in fleet.records if each["agent"].get("name") == "boastful")]
        return replace(range_, variables={**found, **given})

    return chosen


@pytest.mark.parametrize("name", PANELS)
def test_every_query_is_answered(name, ask, choose, fleet) -> None:
    """Without an error for any range, and with rows wherever there are runs."""
    dashboard, _, query = PANELS[name]
    for said, range_of in RANGES.items():
        range_ = choose(dashboard, range_of(fleet.everything()))
        rows = ask(range_.sql(query.text))
        assert rows or (said not in SOME and dashboard.name != "run"), said
        if query.over_time:
            assert all(set(row) == {"time", "metric", "value"} for row in rows)
            assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def shown(name: str, ask, choose, fleet, **given: list[str]) -> Rows:
    """What a panel shows of everything."""
    dashboard, _, query = PANELS[name]
    return ask(choose(dashboard, fleet.everything(), **given).sql(query.text))


def verdicts(records: Rows, *, required: bool = True) -> Counter[str]:
    """How many checks are worth what, counted in the records."""
    return Counter(
        each.get("verdict")
        for record in records
        for each in record["verifications"]
        if each.get("required", False) or not required
    )


def test_the_state_of_evidence_is_that_of_the_records(ask, choose, fleet) -> None:
    """Required checks by verdict, and each that is not proved."""
    (row,) = shown("evidence: Required checks by verdict", ask, choose, fleet)
    truth = verdicts(fleet.records)
    assert {name: count for name, count in row.items() if count} == truth
    assert {"proved", "stale", "contradicted", "not_run"} <= set(truth)
    (share,) = shown("evidence: Required checks that are proved", ask, choose, fleet)
    assert share["proved"] == pytest.approx(truth["proved"] / truth.total())
    missing = shown("evidence: Required checks without proof", ask, choose, fleet)
    assert Counter(each["verdict"] for each in missing) == truth - Counter(proved=truth["proved"])


def test_verdicts_over_time_add_up(ask, choose, fleet) -> None:
    """To those of all checks."""
    rows = shown("evidence: Verdicts over time", ask, choose, fleet)
    total: Counter[str] = Counter()
    for row in rows:
        total[row["metric"]] += row["value"]
    assert total == verdicts(fleet.records, required=False)


def test_a_choice_narrows_what_is_shown(ask, choose, fleet) -> None:
    """One agent's checks are shown, and nobody else's; runs without a repository can be chosen, too."""
    (row,) = shown("evidence: Required checks by verdict", ask, choose, fleet, agent=["hasty"])
    hasty = [each for each in fleet.records if each["agent"].get("name") == "hasty"]
    assert {name: count for name, count in row.items() if count} == verdicts(hasty)
    (nobody,) = shown("evidence: Required checks by verdict", ask, choose, fleet, repository=["it's nobody's"])
    assert not any(nobody.values())
    rows = shown("evidence: Verdicts over time", ask, choose, fleet, repository=["(none)"])
    somewhere = [each for each in fleet.records if "repository" not in each["base"]]
    assert sum(row["value"] for row in rows) == verdicts(somewhere, required=False).total()


def test_runs_are_listed_with_the_next_step(ask, choose, fleet) -> None:
    """Each with how it stands, and the first error or the agent's own word on what comes next."""
    rows = shown("runs: Runs, and the next step for a reviewer", ask, choose, fleet)
    by_id = {row["run_id"]: row for row in rows}
    assert len(rows) == len(by_id) == len(fleet.records)
    for record in fleet.records:
        errors = [finding["message"] for finding in record["findings"] if finding["severity"] == "error"]
        asked = (record.get("handoff") or {}).get("next_action")
        row = by_id[record["run_id"]]
        assert row["next_step"] == (errors[0] if errors else asked)
        assert row["review_state"] == record.get("review_state")
        required = [each for each in record["verifications"] if each.get("required")]
        assert (row["required"], row["proved"]) == (len(required), verdicts([record])["proved"])


@pytest.mark.parametrize(
    ("panel", "truth"),
    [
        ("Review states over time", lambda record: record.get("review_state") or "(none)"),
        ("Lifecycle", lambda record: record["lifecycle"]),
        ("Outcome", lambda record: record["outcome"]),
    ],
)
def test_runs_over_time_add_up(panel, truth, ask, choose, fleet) -> None:
    """To the runs there are."""
    total: Counter[str] = Counter()
    for row in shown(f"runs: {panel}", ask, choose, fleet):
        total[row["metric"]] += row["value"]
    assert total == Counter(map(truth, fleet.records))


@pytest.mark.parametrize("field", ["rule", "layer"])
def test_findings_are_counted_by_rule_and_layer(field, ask, choose, fleet) -> None:
    """Each with its severity."""
    title = {"rule": "Findings by rule", "layer": "Findings by layer of the harness"}[field]
    rows = shown(f"runs: {title}", ask, choose, fleet)
    truth = Counter(
        (finding.get(field, "(none)"), finding["severity"]) for each in fleet.records for finding in each["findings"]
    )
    severities = ("error", "warning", "info")
    assert {(row[field], name): row[name] for row in rows for name in severities if row[name]} == truth


def test_one_run_is_its_record(ask, choose, fleet) -> None:
    """Its checks, commands and claims, in their order."""
    record = next(each for each in fleet.records if each["agent"].get("name") == "boastful")
    chosen = {"run_id": [record["run_id"]]}
    for panel, field, column in (
        ("Checks", "verifications", "check"),
        ("Commands", "commands", "command"),
        ("Findings", "findings", "rule"),
    ):
        rows = shown(f"run: {panel}", ask, choose, fleet, **chosen)
        assert [row[column] for row in rows] == [each[column] for each in record[field]]
    (said,) = (statement for claim in record["claims"] for statement in claim["statements"])
    (row,) = shown("run: Claims", ask, choose, fleet, **chosen)
    assert (row["statement"], row["verdict"]) == (said["text"], said["verdict"])
