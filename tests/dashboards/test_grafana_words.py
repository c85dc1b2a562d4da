"""What stands in for Grafana writes variables and macros as Grafana does."""

from __future__ import annotations

import pytest

from real.grafana import Range

RANGE = Range(0, 3_600, {"one": ["a"], "some": ["it's", "(none)", "a\\b"], "all": ".*"}, scrape_s=15)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x IN (${some:sqlstring})", r"x IN ('it''s','(none)','a\b')"),
        ("$__timeFilter(t)", "t BETWEEN '1970-01-01T00:00:00Z' AND '1970-01-01T01:00:00Z'"),
        ("$__timeGroupAlias(t, 5m)", 'floor(extract(epoch from t)/300)*300 AS "time"'),
        ("$__timeGroupAlias(t, $__interval)", 'floor(extract(epoch from t)/4)*4 AS "time"'),
    ],
)
def test_sql(text: str, written: str) -> None:
    """Texts are quoted, times are those of the range."""
    assert RANGE.sql(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{a=~"$one"}', '{a=~"a"}'),
        ('{a=~"${all}"}', '{a=~".*"}'),
        ('{a=~"$some"}', r'{a=~"(it\\' + r"'s|\\(none\\)|a\\\\b)" + '"}'),
        ("rate(x[$__rate_interval])", "rate(x[60s])"),
        ("increase(x[$__range])", "increase(x[3600s])"),
    ],
)
def test_promql(text: str, written: str) -> None:
    """Chosen values are regular expressions within strings."""
    assert RANGE.promql(text) == written


def test_what_is_not_known_is_an_error() -> None:
    """A variable that no dashboard has, a format that is not known."""
    for text in ("$unknown", "${one:csv}"):
        with pytest.raises(KeyError):
            RANGE.filled(text)
