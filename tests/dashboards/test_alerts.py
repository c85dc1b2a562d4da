"""The alerts are valid, fire when they should and not else, and are about what the processor measures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from boards.processor import of
from boards.series import series

from agent_otel.service.metrics import METRICS
from real.prometheus import promtool

ALERTS = Path(__file__).resolve().parents[2] / "dashboards" / "alerts"
RULES = yaml.safe_load((ALERTS / "processor.yaml").read_text())["groups"][0]["rules"]


def test_the_rules_are_valid() -> None:
    """By the word of promtool."""
    done = promtool("check", "rules", ALERTS / "processor.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


def test_the_configuration_of_prometheus_is_valid() -> None:
    """And takes in the rules, which are for the job that it gives the processor."""
    done = promtool("check", "config", ALERTS.parent / "prometheus.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout
    jobs = yaml.safe_load((ALERTS.parent / "prometheus.yaml").read_text())["scrape_configs"]
    assert re.search(r'job=~"(.*?)"', RULES[0]["expr"])[1].removesuffix(".*") in {each["job_name"] for each in jobs}


def test_the_rules_do_what_their_cases_say() -> None:
    """Each fires for a processor in trouble, and never for one that does well."""
    done = promtool("test", "rules", ALERTS / "processor_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        ("> 300", "> 3000"),
        ("> 0.01", "> 0.5"),
        ("0.99", "0.5"),
        ("512 * 1024", "5120 * 1024"),
        ("for: 2m", "for: 5m"),
        ("!= 0", "!= 1000000"),
        ("due[10m]) > 0", "due[10m]) > 10"),
        ("refused_total[5m])) > 0", "refused_total[5m])) >= 0"),
    ],
)
def test_the_cases_tell_right_rules_from_wrong_ones(was: str, is_: str, tmp_path: Path) -> None:
    """A rule that is changed fails them."""
    text = (ALERTS / "processor.yaml").read_text()
    assert was in text
    (tmp_path / "processor.yaml").write_text(text.replace(was, is_))
    shutil.copy(ALERTS / "processor_test.yaml", tmp_path)
    assert promtool("test", "rules", tmp_path / "processor_test.yaml").returncode != 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_is_about_what_is_measured(rule: dict) -> None:
    """It says what is wrong and what to do, how bad it is, and asks for series that there are."""
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description"}
    known = {series(row.name, row.kind, row.unit) for row in METRICS}
    asked = {name.removesuffix("_bucket") for name in re.findall(r"agent_otel_\w+", rule["expr"])}
    assert asked <= known
    assert asked or rule["alert"] == "AgentOtelProcessorDown"


def test_the_names_are_those_of_the_table() -> None:
    """A name that the table does not have cannot be asked for."""
    assert all(of(row.name).startswith("agent_otel_processor_") for row in METRICS)
    with pytest.raises(KeyError):
        of("agent_otel.processor.unknown")
