"""What masking on arrival costs, beside decoding the same bytes in the same rounds. Prints, never gates.

Run it with ``python benchmarks/arrival.py``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence

import agent_spans

from agent_otel.model.item import Item
from agent_otel.otlp.masking import ItemMasker
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.text.redaction import Masker

TOKEN = "ghp" + "_" + "Fake1" * 8
"""Looks like a token of GitHub, and is none."""

KINDS = {
    "of this SDK": ("agent_otel", ""),
    "of others": ("some_agent", ""),
    "of others, suspicious": ("some_agent", "token: none, 3 retries\n"),
    "of others, with a secret": ("some_agent", f"pushed with {TOKEN}\n"),
}
"""What came, to the scope it is of and what its output begins with; each item is 2.3 KB."""


def _body(scope: str, begins: str, spans: int) -> bytes:
    made = [agent_spans.span(1, number, spans=spans + 1) for number in range(1, spans + 1)]
    for span in made:
        output = span.attributes[-1].value
        output.string_value = begins + output.string_value[len(begins) :]
    return agent_spans.request(made).replace(b"\n\nagent_otel", b"\n\n" + scope.encode())


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measured(rounds: int, spans: int) -> list[dict[str, float | str]]:
    """Microseconds an item, the best of the rounds, for each kind."""
    bodies = {kind: _body(scope, begins, spans) for kind, (scope, begins) in KINDS.items()}
    decoded: dict[str, Sequence[Item]] = {
        kind: items_from_protobuf(made, "span").items for kind, made in bodies.items()
    }
    masker = Masker(key=b"")
    best: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        for kind, made in bodies.items():
            for what, action in (
                ("decode", lambda made=made: items_from_protobuf(made, "span")),
                ("mask", lambda kind=kind: ItemMasker(masker)(decoded[kind])),
            ):
                best[kind, what] = min(best.get((kind, what), 1e9), _seconds(action))
    return [
        {
            "kind": kind,
            "decode_us": best[kind, "decode"] / spans * 1e6,
            "mask_us": best[kind, "mask"] / spans * 1e6,
            "ratio": best[kind, "mask"] / best[kind, "decode"],
            "masked": sum(b"[REDACTED" in item.raw for item in ItemMasker(masker)(decoded[kind])),
        }
        for kind in bodies
    ]


def main() -> None:
    """Prints one row a kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--spans", type=int, default=512)
    parser.add_argument("--quick", action="store_true", help="one round, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    rows = measured(1 if chosen.quick else chosen.rounds, chosen.spans)
    if chosen.json:
        print(json.dumps(rows))
        return
    print(f"{'an item':26} {'decode µs':>10} {'mask µs':>10} {'ratio':>7} {'masked':>7}")
    for row in rows:
        print(
            f"{row['kind']:26} {row['decode_us']:10.1f} {row['mask_us']:10.1f} {row['ratio']:7.2f} {row['masked']:7d}"
        )


if __name__ == "__main__":
    main()
