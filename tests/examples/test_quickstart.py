"""``examples/quickstart.py``."""

import json


def test_it_prints_a_hint_that_works(start, examples):
    """All it says is a command; the command shows a run that is done."""
    done = start(examples / "quickstart.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "agent-otel show last\n", "")
    record = json.loads(start("-m", "agent_otel", "show", "last", "--json").stdout)
    assert (record["review_state"], record["findings"]) == ("done", [])
    assert [tool["name"] for tool in record["tool_calls"]] == ["read_file", "run_command", "write_file"]
    assert [check["verdict"] for check in record["verifications"]] == ["proved"]
    assert record["changed_files"][0]["read_before"] is True
