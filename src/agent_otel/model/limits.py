"""The names of what telemetry could not show (``capture.limits``), and what each means.

A rule that would need what is missing answers ``unverifiable``: that nothing was seen proves nothing then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CONTENT_OFF: Final = "content-off"
ATTRIBUTE_CUT: Final = "attribute-cut"
EXIT_CODES_UNTOLD: Final = "exit-codes-untold"
FAILED_EDITS_UNTOLD: Final = "failed-edits-untold"
DENIALS_UNTOLD: Final = "denials-untold"
FAILED_OUTPUT_UNTOLD: Final = "failed-output-untold"
SHELL_EDITS_UNSEEN: Final = "shell-edits-unseen"
FINAL_MESSAGE_UNTOLD: Final = "final-message-untold"
PROMPT_UNTOLD: Final = "prompt-untold"
TAIL_LOST: Final = "tail-lost"
ORPHANS: Final = "orphans"
SUB_AGENTS_UNLINKED: Final = "sub-agents-unlinked"
COSTS_UNTOLD: Final = "costs-untold"
PATHS_UNTOLD: Final = "paths-untold"
COMMANDS_UNTOLD: Final = "commands-untold"
UNORDERED: Final = "unordered"
DIALECT_FAILED: Final = "dialect-failed"

LIMITS: Final[Mapping[str, str]] = {
    CONTENT_OFF: "Arguments, results or messages were not recorded; the agent's content setting is off.",
    ATTRIBUTE_CUT: "An attribute limit of the sender cut texts, or dropped attributes.",
    EXIT_CODES_UNTOLD: "This telemetry has no exit codes: whether a command passed is known from its words at best.",
    FAILED_EDITS_UNTOLD: "Edits and other calls that fail their validation leave no trace.",
    DENIALS_UNTOLD: "Refused calls leave no trace of their own, or look like calls that went well.",
    FAILED_OUTPUT_UNTOLD: "The output of commands that fail is not recorded.",
    SHELL_EDITS_UNSEEN: "Files changed by scripts and formatters are not seen; only edits by tools are.",
    FINAL_MESSAGE_UNTOLD: "The agent's last words are not recorded.",
    PROMPT_UNTOLD: "What the agent was asked to do is not recorded.",
    TAIL_LOST: "The end of the telemetry does not arrive: that nothing follows does not mean that nothing happened.",
    ORPHANS: "Spans name parents that never arrived.",
    SUB_AGENTS_UNLINKED: "Agents started by this one cannot be told apart from it, or not be found.",
    COSTS_UNTOLD: "What model calls cost is not recorded.",
    PATHS_UNTOLD: "That files were read or changed is recorded, not which.",
    COMMANDS_UNTOLD: "That commands ran is recorded, not which.",
    UNORDERED: "Times are missing or bounds only, so what came first is not certain.",
    DIALECT_FAILED: "A dialect from elsewhere failed on this telemetry; what it would have read is missing.",
}
"""Every limit that a dialect of this package notes."""

HIDING_EDITS: Final = frozenset(
    [CONTENT_OFF, ATTRIBUTE_CUT, TAIL_LOST, ORPHANS, SUB_AGENTS_UNLINKED, PATHS_UNTOLD, UNORDERED, DIALECT_FAILED]
)
"""Where one of these is noted, an edit after the last check may have gone unseen."""

HIDING_COMMANDS: Final = frozenset(
    [CONTENT_OFF, ATTRIBUTE_CUT, TAIL_LOST, ORPHANS, SUB_AGENTS_UNLINKED, COMMANDS_UNTOLD, UNORDERED, DIALECT_FAILED]
)
"""Where one of these is noted, that no command was seen does not mean that none ran."""

HIDING_READS: Final = frozenset(
    [CONTENT_OFF, ATTRIBUTE_CUT, ORPHANS, SUB_AGENTS_UNLINKED, PATHS_UNTOLD, UNORDERED, DIALECT_FAILED]
)
"""Where one of these is noted, that no read was seen does not mean that a file was not read."""

OF_SEEN_CALLS: Final = frozenset([CONTENT_OFF, ATTRIBUTE_CUT, COMMANDS_UNTOLD])
"""Limits that hide what a call was about, never that there was one."""
