"""Words by which a run, or the output of a command, says that a tool or service was not there."""

from __future__ import annotations

import re
from typing import Final

_SAID: Final = re.compile(
    r"\b(?:un(?:available|reachable|installed)|not (?:available|installed|reachable|running|found|present|supported)"
    r"|offline|(?:is|was|are|were) down|no (?:access|network|such service)|cannot connect"
    r"|missing (?:tool|browser|service))",
    re.IGNORECASE,
)
_PRINTED: Final = re.compile(
    r"\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ERR_CONNECTION_REFUSED|ERR_NAME_NOT_RESOLVED|connection refused"
    r"|could not connect to server|temporary failure in name resolution|name or service not known|no such host"
    r"|cannot connect to the docker daemon|executable doesn't exist at|command not found|no space left on device)",
    re.IGNORECASE,
)


def says_unavailable(text: str | None) -> bool:
    """True where somebody says of a tool or service that it was not there."""
    return bool(_SAID.search(text or ""))


def shows_unavailable(output: str | None) -> bool:
    """True where a command printed what programs print when a service or another program is not there.

    Narrower than what people say: "page not found" in the output of a test is what the test found.
    """
    return bool(_PRINTED.search(output or ""))
