"""The committed dashboards are what their code makes, and hold together."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from boards.__main__ import FOLDER, written
from boards.all import DASHBOARDS
from boards.queries import JAEGER, POSTGRES, PROMETHEUS, TEMPO

PROVISIONING = FOLDER.parent / "provisioning"
README = FOLDER.parent.parent / "README.md"
BY_NAME = {each.name: each.document() for each in DASHBOARDS}


def test_the_committed_files_are_what_the_code_makes() -> None:
    """Each of them, and no others."""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")} == written()


def test_the_program_writes_them(tmp_path: Path) -> None:
    """Started as the README says, from another folder; it changes nothing."""
    before = {path: path.read_bytes() for path in FOLDER.glob("*")}
    subprocess.run([sys.executable, FOLDER.parent / "boards"], cwd=tmp_path, check=True)
    assert {path: path.read_bytes() for path in FOLDER.glob("*")} == before


def test_uids_are_stable() -> None:
    """Other pages link to them."""
    assert [each.uid for each in DASHBOARDS] == [
        f"agent-otel-{name}" for name in ("evidence", "runs", "run", "tools", "cost", "processor", "traces")
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_panels_are_numbered_and_do_not_overlap(name: str) -> None:
    """And stay within the page."""
    panels = BY_NAME[name]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("name", BY_NAME)
def test_every_variable_is_declared_and_used(name: str) -> None:
    """Panels and links use only what can be chosen, and nothing can be chosen in vain."""
    document = BY_NAME[name]
    declared = {each["name"] for each in document["templating"]["list"]}
    text = json.dumps({**document, "templating": []})
    used = {name for name in declared if re.search(rf"\$(\{{{name}[:}}]|{name}\b)", text)}
    assert used == declared
    for part in text.split("${")[1:]:
        word = part.partition("}")[0].partition(":")[0]
        assert word in declared or word.startswith("__"), word


@pytest.mark.parametrize("name", BY_NAME)
def test_links_lead_to_what_is_there(name: str) -> None:
    """To fields that the query gives, and to dashboards that exist."""
    uids = {each.uid for each in DASHBOARDS}
    for panel in BY_NAME[name]["panels"]:
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for link in next((each["value"] for each in override["properties"] if each["id"] == "links"), []):
                url = urlsplit(link["url"])
                if url.path.startswith("/d/"):
                    assert url.path.removeprefix("/d/") in uids
                if url.path == "/explore":
                    (panes,) = parse_qs(url.query)["panes"]
                    assert json.loads(panes)["run"]["queries"][0]["query"] == "${__data.fields.trace_id}"


@pytest.mark.parametrize("name", BY_NAME)
def test_every_panel_says_what_it_shows(name: str) -> None:
    """In a sentence, and by a title that is not used twice."""
    panels = [panel for panel in BY_NAME[name]["panels"] if panel["type"] != "row"]
    assert all(panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_provisioning_makes_the_data_sources() -> None:
    """Those that the dashboards choose by default, by the same uid, and of the same kind."""
    made = yaml.safe_load((PROVISIONING / "datasources" / "agent-otel.yaml").read_text())["datasources"]
    assert {(each["uid"], each["type"], each["name"]) for each in made} == {
        (each.uid, each.plugin, f"agent-otel {each.label}") for each in (POSTGRES, PROMETHEUS, TEMPO, JAEGER)
    }


def test_provisioning_reads_what_the_environment_file_sets() -> None:
    """All but the folder, which depends on where this repository lies, and the password; nothing is set in vain."""
    read = {name for path in PROVISIONING.rglob("*.yaml") for name in re.findall(r"\$([A-Z_]+)", path.read_text())}
    lines = (PROVISIONING.parent / "grafana.env").read_text().splitlines()
    given = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert read - given == {"AGENT_OTEL_DASHBOARDS", "AGENT_OTEL_POSTGRES_PASSWORD"}
    assert given <= read


def test_the_readme_lists_them() -> None:
    """With what they answer, and whom they ask."""
    found = re.search(r"<!-- dashboards -->\n(.*?)<!-- /dashboards -->", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    for line, each in zip(found[1].splitlines()[2:], DASHBOARDS, strict=True):
        asks = dict.fromkeys(query.source.label for panel in each.panels() for query in panel.queries)
        assert line == f"| {each.title} | {each.says} | {', '.join(asks)} |"
