"""Every query for PostgreSQL of every panel is asked of a real one, filled by real runs, for several time ranges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from boards.all import DASHBOARDS
from boards.queries import Sql

from real.grafana import Range

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


@pytest.mark.parametrize("name", PANELS)
def test_every_query_is_answered(name, sql, choose, fleet) -> None:
    """Without an error for any range, and with rows wherever there are runs."""
    dashboard, _, query = PANELS[name]
    for said, range_of in RANGES.items():
        range_ = choose(dashboard, range_of(fleet.everything()))
        rows = sql(range_.sql(query.text))
        assert rows or (said not in SOME and dashboard.name != "run"), said
        if query.over_time:
            assert all(set(row) == {"time", "metric", "value"} for row in rows)
            assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


def shown(name: str, sql, choose, fleet, **given: list[str]) -> Rows:
    """What a panel shows of everything."""
    dashboard, _, query = PANELS[name]
    return sql(choose(dashboard, fleet.everything(), **given).sql(query.text))


def verdicts(records: Rows, *, required: bool = True) -> Counter[str]:
    """How many checks are worth what, counted in the records."""
    return Counter(
        each.get("verdict")
        for record in records
        for each in record["verifications"]
        if each.get("required", False) or not required
    )


def test_the_state_of_evidence_is_that_of_the_records(sql, choose, fleet) -> None:
    """Required checks by verdict, and each that is not proved."""
    (row,) = shown("evidence: Required checks by verdict", sql, choose, fleet)
    truth = verdicts(fleet.records)
    assert {name: count for name, count in row.items() if count} == truth
    assert {"proved", "stale", "contradicted", "not_run"} <= set(truth)
    (share,) = shown("evidence: Required checks that are proved", sql, choose, fleet)
    assert share["proved"] == pytest.approx(truth["proved"] / truth.total())
    missing = shown("evidence: Required checks without proof", sql, choose, fleet)
    assert Counter(each["verdict"] for each in missing) == truth - Counter(proved=truth["proved"])


def test_verdicts_over_time_add_up(sql, choose, fleet) -> None:
    """To those of all checks."""
    rows = shown("evidence: Verdicts over time", sql, choose, fleet)
    total: Counter[str] = Counter()
    for row in rows:
        total[row["metric"]] += row["value"]
    assert total == verdicts(fleet.records, required=False)


def test_a_choice_narrows_what_is_shown(sql, choose, fleet) -> None:
    """One agent's checks are shown, and nobody else's; runs without a repository can be chosen, too."""
    (row,) = shown("evidence: Required checks by verdict", sql, choose, fleet, agent=["hasty"])
    hasty = [each for each in fleet.records if each["agent"].get("name") == "hasty"]
    assert {name: count for name, count in row.items() if count} == verdicts(hasty)
    (nobody,) = shown("evidence: Required checks by verdict", sql, choose, fleet, repository=["it's nobody's"])
    assert not any(nobody.values())
    rows = shown("evidence: Verdicts over time", sql, choose, fleet, repository=["(none)"])
    somewhere = [each for each in fleet.records if "repository" not in each["base"]]
    assert sum(row["value"] for row in rows) == verdicts(somewhere, required=False).total()


def test_runs_are_listed_with_the_next_step(sql, choose, fleet) -> None:
    """Each with how it stands, and the first error or the agent's own word on what comes next."""
    rows = shown("runs: Runs, and the next step for a reviewer", sql, choose, fleet)
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
def test_runs_over_time_add_up(panel, truth, sql, choose, fleet) -> None:
    """To the runs there are."""
    total: Counter[str] = Counter()
    for row in shown(f"runs: {panel}", sql, choose, fleet):
        total[row["metric"]] += row["value"]
    assert total == Counter(map(truth, fleet.records))


@pytest.mark.parametrize("field", ["rule", "layer"])
def test_findings_are_counted_by_rule_and_layer(field, sql, choose, fleet) -> None:
    """Each with its severity."""
    title = {"rule": "Findings by rule", "layer": "Findings by layer of the harness"}[field]
    rows = shown(f"runs: {title}", sql, choose, fleet)
    truth = Counter(
        (finding.get(field, "(none)"), finding["severity"]) for each in fleet.records for finding in each["findings"]
    )
    severities = ("error", "warning", "info")
    assert {(row[field], name): row[name] for row in rows for name in severities if row[name]} == truth


def test_one_run_is_its_record(sql, choose, fleet) -> None:
    """Its checks, commands and claims, in their order."""
    record = next(each for each in fleet.records if each["agent"].get("name") == "boastful")
    chosen = {"run_id": [record["run_id"]]}
    for panel, field, column in (
        ("Checks", "verifications", "check"),
        ("Commands", "commands", "command"),
        ("Findings", "findings", "rule"),
    ):
        rows = shown(f"run: {panel}", sql, choose, fleet, **chosen)
        assert [row[column] for row in rows] == [each[column] for each in record[field]]
    (said,) = (statement for claim in record["claims"] for statement in claim["statements"])
    (row,) = shown("run: Claims", sql, choose, fleet, **chosen)
    assert (row["statement"], row["verdict"]) == (said["text"], said["verdict"])


def test_what_runs_used_is_what_the_records_say(sql, choose, fleet) -> None:
    """Tokens, model calls and cost, added up; of one model, too; what went into runs that are done."""

    def used(records: Rows, name: str) -> float:
        return sum(each["usage"].get(name) or 0 for each in records)

    for panel, name in (
        ("Input tokens", "input_tokens"),
        ("Output tokens", "output_tokens"),
        ("Model calls", "model_calls"),
        ("Cost", "cost_usd"),
    ):
        (row,) = shown(f"cost: {panel}", sql, choose, fleet)
        assert row[panel.lower()] == pytest.approx(used(fleet.records, name))
    (row,) = shown("cost: Input tokens", sql, choose, fleet, model=["another-model"])
    of_model = [each for each in fleet.records if "another-model" in each["agent"].get("models", ())]
    assert row["input tokens"] == used(of_model, "input_tokens") == 4_800
    rows = shown("cost: By agent, model and repository", sql, choose, fleet)
    careful = next(row for row in rows if row["agent"] == "careful" and row["model"] == "some-model")
    assert careful["into_done_runs"] == 0.5  # CI found the other one out


def test_budgets_are_those_of_the_records(sql, choose, fleet) -> None:
    """What was used of each limit, and who went over it."""
    (over,) = {
        (row["agent"], row["budget"], row["limit"], row["consumed"])
        for row in shown("cost: Runs over their budget", sql, choose, fleet)
    }
    assert over == ("hasty", "tokens", 1_000, 3_000)
    uses = {row["metric"]: row["value"] for row in shown("cost: Use of limits", sql, choose, fleet)}
    assert uses["tokens"] == 3
    assert 0 < uses["steps"] < 1


def test_commands_are_those_of_the_records(sql, choose, fleet) -> None:
    """By result, and those whose last word is a failure."""
    rows = shown("tools: Commands by result", sql, choose, fleet)
    total: Counter[str] = Counter()
    for row in rows:
        total[row["metric"]] += row["value"]
    assert total == Counter(each["result"] for record in fleet.records for each in record["commands"])
    last: dict[tuple[str, str], str] = {}
    for record in fleet.records:
        last.update({(record["run_id"], each["command"]): each["result"] for each in record["commands"]})
    left = {key for key, result in last.items() if result in {"failed", "timed_out"}}
    rows = shown("tools: Failed commands that were never run again", sql, choose, fleet)
    assert {(row["run_id"], row["command"]) for row in rows} == left
    policies = shown("tools: Denials by policy", sql, choose, fleet)
    assert {"policy": "no-push", "denials": 2} in policies


def test_failures_are_counted_by_fingerprint(sql, choose, fleet) -> None:
    """The same failure of two runs is one row."""
    met: dict[str, list[str]] = {}
    for record in fleet.records:
        for failure in record["failures"]:
            met.setdefault(failure["fingerprint"], []).append(record["run_id"])
    rows = shown("evidence: The ten most frequent failures", sql, choose, fleet)
    assert {row["fingerprint"]: (row["runs"], row["times"]) for row in rows}.items() <= {
        name: (len(set(runs)), len(runs)) for name, runs in met.items()
    }.items()
    assert [row["runs"] for row in rows] == sorted((len(set(runs)) for runs in met.values()), reverse=True)[:10]


def test_what_ci_fails_after_the_handoff_is_shown(sql, choose, fleet) -> None:
    """The run, and who brought the evidence."""
    (row,) = shown("evidence: Regressions after the handoff", sql, choose, fleet)
    (late,) = shown("evidence: Evidence that came after the handoff", sql, choose, fleet)
    assert row["agent"] == "careful"
    assert row["layer"] == "release process"
    assert (late["added_source"], late["added_by"], late["run_id"]) == ("ci", "nightly", row["run_id"])
    assert (late["check"], late["outcome"]) == ("unit", "fail")
