"""What masking costs on clean text, and what a secret costs. Prints, never gates.

Run it with ``python benchmarks/redaction.py``.
"""

from __future__ import annotations

import argparse
import timeit
from pathlib import Path

from agent_otel.text.redaction import Masker

SOURCE = Path(argparse.__file__).read_text(encoding="utf-8")
PYTEST = "tests/test_fizz.py::test_counts_from_one PASSED                     [ 10%]\n"
CASES = {
    "an argument, 17 characters": "src/auth/guard.ts",
    "a command, 100 characters": (
        "python -m pytest tests/test_auth.py -q --maxfail=1 --durations=10 --color=no --junitxml=report.xml -x"
    )[:100],
    "a sentence, 100 characters": (
        "The membership is not hydrated when the guard runs so the redirect comes too early and returns 403 " * 2
    )[:100],
    "source, 100 characters": SOURCE[20_000:20_100],
    "source, 10 KB": SOURCE[20_000:30_000],
    "test output, 10 KB": (PYTEST * 200)[:10_000],
    "test output, 1 MB": (PYTEST * 20_000)[:1_000_000],
    "a token, 100 characters": (
        "pushed with ghp" + "_" + "Fake1" * 8 + " to origin, branch main, 3 commits, fast forward only"
    )[:100],
}
MASKERS = {
    "patterns": Masker(key=b"benchmark"),
    "and 20 known secrets": Masker(key=b"benchmark", secrets=[f"known-secret-value-{n:04d}" for n in range(20)]),
}


def main() -> None:
    """Prints microseconds per call, best of seven, for each kind of text."""
    for name, text in CASES.items():
        for label, masker in MASKERS.items():
            runs = max(1, 200_000 // max(len(text), 100))
            best = min(timeit.repeat(lambda masker=masker, text=text: masker.mask(text), number=runs, repeat=7)) / runs
            print(f"{name:28} {label:22} {best * 1e6:10.2f} us")


if __name__ == "__main__":
    main()
