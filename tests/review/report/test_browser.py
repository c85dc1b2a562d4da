"""The page in a real browser: it loads nothing, complains of nothing, and fits a phone, in light and dark."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent_otel.cli.records import ALL, StoreRecords
from agent_otel.review.report.build import Figures
from agent_otel.review.report.page import page
from agent_otel.review.report.shape import Report
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from hostile_records import ATTACKS
from quarter_story import told as quarter
from real.chromium import HOW_TO_INSTALL, Browser, find
from report_history import plans, stored

PLANS = plans(60)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The figures of a history whose runs are known."""
    figures = Figures()
    with closing(open_store(stored(PLANS, tmp_path_factory.mktemp("history")))) as store:
        for record in StoreRecords(store).records(RecordQuery(limit=ALL)):
            figures.add(record)
    return figures.report()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; there is always one in CI."""
    if find() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with closing(Browser()) as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(told: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the history, with a review, and with a title that would like to be more."""
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(page(told, review=quarter(), title=" ".join(ATTACKS)), encoding="utf-8")
    return file


def test_the_figures_are_those_of_the_plan(told: Report) -> None:
    """What was planned for the runs is what the report says of them."""
    kinds = Counter(plan.kind for plan in PLANS)
    headline, evidence, tools = told.headline, told.evidence, told.tools
    assert headline.runs == len(PLANS)
    assert headline.done == kinds["proved"]
    assert headline.to_review == len(PLANS) - kinds["proved"]
    assert headline.contradicted == headline.contradicted_claims == kinds["false claim"]
    assert headline.stale == 2 * kinds["stale"]  # unit and lint; e2e ran after the edit
    assert headline.regressions == kinds["regression"] == len(evidence.latest_regressions)
    (not_run,) = (each for each in told.runs.required_checks if each.name == "not_run")
    assert not_run.count == kinds["not run"]
    assert tools.denied_calls == sum(plan.denied for plan in PLANS)
    assert [each.count for each in tools.denials_by_policy] == [tools.denied_calls]
    assert tools.timed_out_commands == sum(plan.timed_out for plan in PLANS)
    abandoned = {each.name: each.count for each in told.runs.lifecycles}.get("abandoned", 0)
    assert abandoned == kinds["killed"]
    assert {row.name: row.runs for row in evidence.by_agent} == Counter(plan.agent for plan in PLANS)
    assert {row.name: row.runs for row in evidence.by_repository} == Counter(plan.repository for plan in PLANS)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_opens_and_fits(browser: Browser, opened: Path, width: int, dark: bool) -> None:
    """Nothing is asked of any network, nothing is said on the console, nothing lies beyond the edge."""
    browser.open(opened, width=width, dark=dark)
    assert browser.problems == []
    assert browser.asked == [opened.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.querySelectorAll('svg.chart').length") >= 6


def test_the_review_is_a_view_of_its_own(browser: Browser, opened: Path) -> None:
    """The navigation leads to it, and every part of it is there."""
    browser.open(opened, width=1280)
    assert browser.evaluate("document.querySelector('nav a[href=\"#review\"]').textContent") == "Quarterly review"
    shown = browser.evaluate("[...document.querySelectorAll('#review h3')].map(it => it.textContent)")
    assert shown == [
        "Post-mortems", "Failures by frequency", "Failures by cost", "Findings by layer", "Known patterns",
        "One change for several", "Rejected ideas whose failure came back", "Changes, and what came of them",
    ]  # fmt: skip
    effects = browser.evaluate(
        "[...document.querySelectorAll('#review .card:last-child .next b')].map(it => it.textContent)"
    )
    assert effects == ["came back", "came back", "not seen since", "not known yet", "nothing to look for"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read(browser: Browser, opened: Path, dark: bool) -> None:
    """Its contrast with what lies behind it is at least 4.5 to 1, as WCAG 2.2 asks of small text (level AA)."""
    browser.open(opened, width=1280, dark=dark)
    poor = browser.evaluate(CONTRAST)
    assert poor == []


def test_links_lead_to_why_a_run_is_where_it_is(browser: Browser, opened: Path) -> None:
    """The place of a run comes into view, and stands out."""
    browser.open(opened, width=390)
    browser.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    shown = browser.evaluate(
        "(() => { document.querySelector('.cards a').click(); const it = document.querySelector('article:target');"
        " const top = it.getBoundingClientRect().top; return [it.id, top >= 0 && top < window.innerHeight]; })()"
    )
    assert shown == ["run-1", True]


CONTRAST = """
(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (rgb) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return parse(getComputedStyle(document.documentElement).backgroundColor);
  };
  const poor = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || node.closest('title, style')) continue;
    const style = getComputedStyle(node);
    const colour = parse(node instanceof SVGElement ? style.fill : style.color);
    const [one, other] = [light(colour), light(behind(node))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) poor.add(`${node.tagName}: ${texts.currentNode.data.slice(0, 40)}`);
  }
  return [...poor];
})()
"""
