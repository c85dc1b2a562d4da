"""Which metrics tell what a run has used, and how their data points are counted.

Agents measure tokens and money in metrics of their own; only a run with no model call to tell it is asked for them.
Counted are the terms of a record: ``input_tokens`` with all that came from a cache, as the GenAI conventions have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

LARGEST: Final = 2.0**63
"""No value beyond is counted."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One metric.

    Args:
        family: metrics that together tell one thing; of several families that tell the same, the first one counts.
        kind_attribute: the attribute of a data point that says what was counted; "" where the metric says it itself.
        counts: value of that attribute (or "") to the fields of a record that the point adds to.
    """

    family: str
    kind_attribute: str = ""
    counts: Mapping[str, tuple[str, ...]]


_GEMINI: Final = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "thought": ("output_tokens",),  # which its API counts beside the output
    "cache": ("cache_read_tokens",),  # which its API counts within the input
}

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {
        "claude_code.token.usage": Measure(
            family="claude_code",
            kind_attribute="type",
            counts={
                "input": ("input_tokens",),
                "cacheRead": ("input_tokens", "cache_read_tokens"),
                "cacheCreation": ("input_tokens",),
                "output": ("output_tokens",),
            },
        ),
        "claude_code.cost.usage": Measure(family="claude_code", counts={"": ("cost_usd",)}),
        "gemini_cli.token.usage": Measure(family="gemini_cli", kind_attribute="type", counts=_GEMINI),
        "qwen-code.token.usage": Measure(family="qwen-code", kind_attribute="type", counts=_GEMINI),
        "codex.turn.token_usage": Measure(
            family="codex",
            kind_attribute="token_type",
            counts={
                "input": ("input_tokens",),
                "cached_input": ("cache_read_tokens",),
                "output": ("output_tokens",),
            },
        ),
        "gen_ai.client.inference.usage.input_tokens": Measure(family="gen_ai", counts={"": ("input_tokens",)}),
        "gen_ai.client.inference.usage.output_tokens": Measure(family="gen_ai", counts={"": ("output_tokens",)}),
        "gen_ai.client.inference.usage.cache_read.input_tokens": Measure(
            family="gen_ai", counts={"": ("cache_read_tokens",)}
        ),
        "gen_ai.client.token.usage": Measure(
            family="gen_ai before 2026",
            kind_attribute="gen_ai.token.type",
            counts={"input": ("input_tokens",), "output": ("output_tokens",)},
        ),
    }
)
"""The metrics that are kept, by name; what agents call their own stands before what the conventions call it."""
