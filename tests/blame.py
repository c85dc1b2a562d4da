"""Words that no page about an incident has: it asks what the setup did."""

from __future__ import annotations

import re
from typing import Final

BLAME: Final = re.compile(
    r"\b(?:agent|model|it|he|she|they) (?:failed|forgot|ignored|neglected|should have|could have|did not|didn't)"
    r"|\b(?:fault|blame|careless|sloppy|negligen\w*|mistake|lazy|guilty)\b",
    re.IGNORECASE,
)
