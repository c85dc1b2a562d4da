"""Makes the pictures of a report that the README shows, with a real browser.

usage: PYTHONPATH=src:tests python tests/data/report/picture.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

from real.chromium import Browser
from report_history import page_of_history

FOLDER = Path(__file__).parents[3] / "examples" / "report"


def main(folder: Path) -> None:
    """One light, one dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, closing(Browser()) as browser:
        page = page_of_history(Path(made))
        for dark in (False, True):
            browser.open(page, width=1180, height=900, dark=dark)
            file = folder / f"report-{'dark' if dark else 'light'}.png"
            file.write_bytes(browser.screenshot())
            print(f"{file.name}: {file.stat().st_size} bytes")  # noqa: T201 - it is a script


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
