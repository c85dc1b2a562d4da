"""An error text without what differs each time it is seen: places, times, ids and numbers.

What tells one failure from another stays: words, codes such as ``TS2322``, exit and HTTP status codes, and names in
quotes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

LONGEST: Final = 200
"""Characters that are enough to tell one failure from another."""

MOST_READ: Final = 600
"""Characters of a line that are looked at."""

_EXTENSIONS: Final = (
    "py|pyi|js|jsx|mjs|cjs|ts|tsx|mts|cts|vue|svelte|go|rs|c|cc|cpp|cxx|h|hh|hpp|m|mm|java|kt|kts|scala|groovy|cs|fs|vb"
    "|csproj|fsproj|sln|rb|erb|php|swift|dart|ex|exs|erl|hs|lua|pl|sh|bash|ps1|sql|json|jsonc|yaml|yml|toml|ini|cfg"
    "|lock|xml|html|css|scss|less|md|rst|txt|log|env|tf|proto|gradle|snap|ipynb|whl|jar|so|o|a|dll|exe|zip|gz|sock"
)
PATH: Final = re.compile(
    rf"""
    (?<![\w@:./<-])
    (?: [A-Za-z]:[\\/][^\s'"`<>|:*?]+             # C:\repo\src\a.cs
      | (?:~|\.{{1,2}})?/[^\s'"`<>|:,;()\[\]]+     # /repo/src/a.py, ./a, ../a, ~/a
      | (?:[\w@+-][\w.@+\[\]-]*[\\/])*[\w@+\[-][\w.@+\[\]-]{{0,100}}\.(?:{_EXTENSIONS})(?![\w-]|\.\w)
    )
    """,
    re.VERBOSE,
)
"""A path of a file or folder. Without a leading slash it needs a known extension: ``and/or`` is none."""

_QUOTED: Final = re.compile(r"(?<!\w)'(?P<name>[^'\s]{0,60})?(?P<more>[^']*)'(?!\w)")
_KEPT_NUMBER: Final = (
    r"(?:exit(?:ed)?(?: with)?(?: code| status)?|status(?:[_ ]code)?|returned error|errno|signal|code"
    r"|https?(?:/\d(?:\.\d)?)?)"
    r"[\s:='\"#]{0,3}\d{1,5}\b|\b[1-5]\d\d (?=[A-Za-z]+(?: [A-Za-z]+)? (?:error|for)\b)"
)

_DATE: Final = (
    r"\b(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?(?:\d{1,2}\s+)?"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\s+\d{1,2}(?:,?\s+\d{4})?(?=[\s,:]|$)"
)
_DURATION: Final = (
    r"\b(?:\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|[smhd])"
    r"(?:\s(?=\d))?)+\b"
)

_TABLE: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        # what terminals are told
        (r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]", ""),
        # quotes of all kinds
        ('[\u2018\u2019\u201b\u2032`\u00b4\u201c\u201d\u201e\u00ab\u00bb"]', "'"),
        (r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'<>)\]]+", "<url>"),
        (r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+\b", "<mail>"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
        # times: of a calendar, of a clock, lengths
        (r"\b\d{4}[-/]\d\d[-/]\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:z|\s?[+-]\d\d:?\d\d)?(?!\w)", "<time>"),
        (_DATE, "<time>"),
        (r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:\s?[ap]m)?\b", "<time>"),
        (_DURATION, "<duration>"),
    )
)

_AFTER_PATHS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        # where in a file
        (r"<path>(?:[:(]\d+(?:[:,]\s?\d+)?\)?|:\[\d+,\d+\]|:\d+-\d+|#l\d+)+", "<path>"),
        (r",? ?(?:\bat |\bon )?\b(?:lines?|columns?|col|char|row|position|offset)[ :=]\d+(?:[-:]\d+)?", ""),
        # addresses and digests
        (r"\b0x[0-9a-f]+\b", "<hex>"),
        (r"\bsha\d{1,3}[:-][\w+/=-]{16,}", "<hex>"),
        (r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b", "<hex>"),
        (r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{12,}\b", "<id>"),
        # where a service listens
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b|\[?::1?\]?:\d{1,5}\b", "<host>"),
        (r"\b(?:localhost|[a-z][\w-]*(?:\.[\w-]+)+):\d{2,5}\b", "<host>"),
        # parameters of a test
        (r"(::\w+)\[[^\]]*\]", r"\1"),
    )
)

_NUMBER: Final = re.compile(rf"({_KEPT_NUMBER})|(?<![\w.<-])[-+]?\d[\d_,.]*(?:[ekmg]i?b?|%|x)?(?![\w>])", re.IGNORECASE)
_LISTED: Final = re.compile(r"(<\w{1,10}>)(?:(?:,\s?|\s)\1)+")
_SPACE: Final = re.compile(r"\s+")


def normalised(text: str) -> str:
    """The text with placeholders for what differs each time, in lower case and on one line."""
    return _normalised(text[:MOST_READ])


@lru_cache(maxsize=256)  # whoever reads many runs reads the same errors again and again
def _normalised(text: str) -> str:
    for pattern, instead in _TABLE:
        text = pattern.sub(instead, text)
    text = PATH.sub("<path>", text)
    for pattern, instead in _AFTER_PATHS:
        text = pattern.sub(instead, text)
    text = _QUOTED.sub(lambda found: "<text>" if found["more"] else found[0], text)
    text = _NUMBER.sub(lambda found: found[1] or "<n>", text)
    text = _LISTED.sub(r"\1", text)
    return _SPACE.sub(" ", text).strip(" .,;:!-=").lower()[:LONGEST]
