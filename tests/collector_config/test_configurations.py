"""Every configuration is one that the collector takes, and says when to use it, and what for."""

from __future__ import annotations

import re
import subprocess

import pytest

from collector_config.blocked import blocked_values
from collector_config.reading import CONFIGS, NAMES, OVERLAYS, WHOLE, components, document, head, leaves
from collector_config.series import SERIES
from real.cached import ROOT, backend, built
from real.configured import arguments, validate

TOLD = {
    "authorization",
    "brokers",
    "ca_file",
    "cert_file",
    "directory",
    "endpoint",
    "filename",
    "host",
    "hostnames",
    "key_file",
    "port",
}
"""Keys whose values depend on where it runs."""

OLDER = {
    "delta_to_cumulative": "deltatocumulative",
    "load_balancing": "loadbalancing",
    "otlp_grpc": "otlp",
    "otlp_http": "otlphttp",
    "span_metrics": "spanmetrics",
}
"""Current name of a component to the one that older distributions know."""


@pytest.mark.parametrize("name", WHOLE)
def test_the_collector_takes_it(name):
    """It is right as it is, without any environment."""
    assert validate(*arguments(name)) == ""


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", WHOLE)
def test_the_collector_takes_it_under_an_overlay(name, overlay):
    """Whatever an overlay is put over, the whole is right."""
    assert validate(*arguments(name, overlay)) == ""


@pytest.mark.parametrize("name", WHOLE)
def test_older_names_say_the_same(name, tmp_path):
    """With the names of older distributions it is right, too, and README.md has each of them."""
    text = (CONFIGS / name).read_text(encoding="utf-8")
    readme = (CONFIGS / "README.md").read_text(encoding="utf-8")
    for current, older in OLDER.items():
        assert f"| `{current}` | `{older}` |" in readme
        text = re.sub(rf"\b{current}(?=[/:,\]])", older, text)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert validate("--config", tmp_path / name) == ""


def test_a_wrong_one_is_told():
    """What these tests ask does find mistakes."""
    assert "no_such_thing" in validate(*arguments("local.yaml"), "--set", "exporters.no_such_thing.endpoint=x")


@pytest.mark.parametrize("name", NAMES)
def test_its_head_says_what_it_is_for(name):
    """A diagram, the command, the ports; and README.md lists it."""
    said = head(name)
    assert "──" in said
    assert f"{name}\n" in said
    assert "\n# Ports: " in said
    assert f"[`{name}`]({name})" in (CONFIGS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_addresses_and_tokens_come_from_the_environment(name):
    """Each has a variable with a default, and no file holds a secret."""
    fixed = [
        (path, value)
        for path, value in leaves(document(name))
        if path[-1] in TOLD and not re.search(r"\$\{env:[A-Z_]+:-[^}]+\}", str(value))
    ]
    assert fixed == []


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_explained(name):
    """README.md has it, with the default that the file has."""
    readme = (CONFIGS / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{env:([A-Z_]+):-([^}]+)\}", (CONFIGS / name).read_text(encoding="utf-8")))
    unexplained = [
        (variable, default)
        for variable, default in used
        if not re.search(rf"^\| `{variable}` \|.*`{re.escape(default)}`", readme, re.MULTILINE)
    ]
    assert unexplained == []


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_acknowledges_what_is_only_in_memory(name):
    """No batch processor; exporters keep what they have on disk or let the sender wait, and never give up."""
    exporters = document(name)["exporters"]
    assert "batch" not in [kind for _, kind in components(name)]
    for identity, options in exporters.items():
        if identity.startswith(("otlp", "load_balancing", "kafka")):
            queue = options["sending_queue"]
            assert queue.get("storage") == "file_storage" or queue["enabled"] is False
            assert options["retry_on_failure"]["max_elapsed_time"] == "0s"
    if any("storage" in options.get("sending_queue", {}) for options in exporters.values()):
        assert document(name)["extensions"]["file_storage"]["fsync"] is True


def test_the_collector_has_just_what_is_used():
    """Each component of the manifest is in some configuration."""
    kinds = {"exporters", "receivers", "processors", "connectors", "extensions"}
    built = {
        (kind, each["gomod"].split()[0].rpartition("/")[2].replace(kind.removesuffix("s"), ""))
        for kind, listed in document("builder.yaml").items()
        if kind in kinds
        for each in listed
    }
    used = {(kind, named) for name in NAMES for kind, named in components(name)}
    plain = {"otlp_grpc": "otlp"}
    assert {(kind, plain.get(named, named).replace("_", "")) for kind, named in used} == built


def test_formats_of_secrets_are_those_of_the_sdk():
    """The overlay blocks every format that the SDK and the processor mask."""
    assert document("redaction.yaml")["processors"]["redaction"]["blocked_values"] == blocked_values()


def test_series_are_those_of_the_readme():
    """README.md lists each with its labels."""
    readme = (CONFIGS / "README.md").read_text(encoding="utf-8").partition("## Series")[2]
    rows = re.findall(r"^\| `([a-z_]+)`( \(`_bucket`, `_sum`, `_count`\))? \| (`.*`) \|$", readme, re.MULTILINE)
    listed = {}
    for name, histogram, labels in rows:
        plain = frozenset(re.findall(r"`([a-z_]+)`", labels))
        ends = {"_bucket": plain | {"le"}, "_sum": plain, "_count": plain} if histogram else {"": plain}
        listed.update({name + end: has for end, has in ends.items()})
    assert listed == SERIES


def test_tempo_takes_its_configuration():
    """The one that README.md shows."""
    file = CONFIGS / "backends" / "tempo.yaml"
    command = [built(backend("tempo")), "-config.verify=true", f"-config.file={file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_dashboards_ask_for_series_that_there_are():
    """Every series of agents that a panel names is one that Prometheus has."""
    boards = [path.read_text(encoding="utf-8") for path in (ROOT / "dashboards" / "grafana").glob("*.json")]
    of_agents = (
        r"\b(?:traces_span_metrics|tools_called|tool_latency_ms|gen_ai_execute_tool|gen_ai_invoke_agent)_[a-z_]+"
    )
    asked = {name for text in boards for name in re.findall(of_agents, text)}
    assert asked
    assert asked - SERIES.keys() == set()
