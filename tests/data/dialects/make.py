"""Cuts a case from a capture: requests as they came, without items that only repeat others of their name.

usage: python tests/data/dialects/make.py CAPTURE CASE [MOST]

CAPTURE is a folder with traces.jsonl.gz and logs.jsonl.gz, CASE a folder here (``codex/fix``), MOST how many items of
one name without an attribute of their own are kept (all, unless it is given).
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TELLING = ("session", "conversation", "tool", "call_id", "prompt", "turn", "gen_ai", "ai.", "event.name", "permission")
"""Parts of names of attributes that tell something: an item with one of these is no repetition."""
LEFT_OUT = ("gen_ai.system_instructions", "gen_ai.tool.definitions", "system_prompt", "tools", "llm.request.functions")
OF_MODELS = ("llm.tools.", "input.value")
"""Beginnings of what OpenInference's model calls have besides their messages: tool definitions, and all of it again."""


def cut(request: dict[str, Any], seen: Counter[str], most: int) -> dict[str, Any]:
    """The request without repetitions."""
    for part in request.get("resourceSpans", request.get("resourceLogs", [])):
        for scope in part.get("scopeSpans", part.get("scopeLogs", [])):
            key = "spans" if "spans" in scope else "logRecords"
            scope[key] = [item for item in scope.get(key, []) if kept(item, seen, most)]
            for item in scope[key]:
                item["attributes"] = list(ours(item.get("attributes", [])))
    return request


def ours(attributes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The attributes without vendors' system prompts and tool definitions."""
    values = {each["key"]: each["value"].get("stringValue", "") for each in attributes}
    roles = [key for key, value in values.items() if key.endswith(".message.role") and value == "system"]
    prompts = tuple(key.removesuffix("role") + "content" for key in roles)
    of_model = OF_MODELS if values.get("openinference.span.kind") == "LLM" else ()
    for each in attributes:
        if each["key"] not in LEFT_OUT and not each["key"].startswith((*prompts, *of_model)):
            yield each


def kept(item: dict[str, Any], seen: Counter[str], most: int) -> bool:
    """True for an item that tells something, and for the first few of those that do not."""
    keys = [each["key"] for each in item.get("attributes", [])]
    if any(part in key for key in keys for part in TELLING if not key.startswith("thread.")):
        return True
    name = item.get("name") or item.get("eventName") or str(item.get("body"))[:40]
    seen[name] += 1
    return seen[name] <= most


def main(capture: Path, case: Path, most: int) -> None:
    """Writes the case."""
    case.mkdir(parents=True, exist_ok=True)
    seen: Counter[str] = Counter()
    for signal in ("traces", "logs"):
        source = capture / f"{signal}.jsonl.gz"
        if not source.exists():
            continue
        sent = gzip.decompress(source.read_bytes()).splitlines()
        lines = [json.dumps(cut(json.loads(line), seen, most)) for line in sent]
        with gzip.GzipFile(case / source.name, "wb", mtime=0) as target:  # the same bytes every time
            target.write("".join(line + "\n" for line in lines).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), HERE / sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize)
