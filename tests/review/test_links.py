"""Addresses from templates."""

from __future__ import annotations

import pytest

from agent_otel.errors import SettingsError
from agent_otel.model.record import Capture, Command, Output, RunRecord
from agent_otel.review.links import Templates, output_link, span_link, trace_link

GRAFANA = 'https://g.example/explore?left={"queries":[{"query":"{trace_id}"}]}'


@pytest.mark.parametrize(
    ("template", "span", "address"),
    [
        ("http://j/trace/{trace_id}", "ab/cd", "http://j/trace/ab"),
        ("http://j/trace/{trace_id}?uiFind={span_id}", "ab/cd", "http://j/trace/ab?uiFind=cd"),
        ("http://j/trace/{trace_id}", None, ""),
        ("http://j/trace/{trace_id}", "a>) <b>#?&\n\ud800/x", "http://j/trace/a%3E%29%20%3Cb%3E%23%3F%26%0A%3F"),
        ("http://j/trace/{trace_id}", "{span_id}/../x", "http://j/trace/%7Bspan_id%7D"),
        (GRAFANA, "ab/cd", "https://g.example/explore?left=%7B%22queries%22:[%7B%22query%22:%22ab%22%7D]%7D"),
        ("http://j/{trace_id}", "x" * 2000 + "/", ""),
        ("", "ab/cd", ""),
    ],
)
def test_templates_are_filled_with_what_is_encoded(template: str, span: str | None, address: str) -> None:
    """An id is part of one segment, whatever it says; what is absent or absurd gives no link."""
    assert span_link(span, Templates(trace=template)) == address


def test_the_trace_of_a_run_is_its_first() -> None:
    """A run without a trace has no link."""
    templates = Templates(trace="http://j/{trace_id}")
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended")
    assert trace_link(record, templates) == ""
    with_traces = RunRecord(run_id="r", lifecycle="settled", outcome="ended", capture=Capture(traces=("ab", "cd")))
    assert trace_link(with_traces, templates) == "http://j/ab"


@pytest.mark.parametrize(("output", "address"), [(None, ""), (Output(), ""), (Output(sha256="5f"), "http://ci/5f")])
def test_outputs_are_found_by_their_digest(output: Output | None, address: str) -> None:
    """Where the digest is known, and a place was named."""
    command = Command(id="c1", command="make", result="passed", output=output)
    assert output_link(command, Templates(output="http://ci/{sha256}")) == address
    assert output_link(command, Templates()) == ""


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"trace": "http://j/trace"},
            r"trace: expected an http\(s\) URL with \{trace_id\} in it, got 'http://j/trace'",
        ),
        ({"trace": "javascript:{trace_id}"}, "trace: expected an http"),
        ({"output": "http://ci/{trace_id}"}, r"output: expected an http\(s\) URL with \{sha256\}"),
    ],
)
def test_a_template_that_leads_nowhere_is_refused(fields: dict[str, str], message: str) -> None:
    """A typo is told before it is a dead link in every note."""
    with pytest.raises(SettingsError, match=message):
        Templates(**fields)
