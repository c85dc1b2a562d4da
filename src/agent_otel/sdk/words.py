"""The words of ``Run`` as plain functions, for code that never saw the run: they record on the current one.

Outside of any run they are harmless: ``command`` still runs its command, the others do nothing.
"""

from __future__ import annotations

from typing import Final

from agent_otel.sdk.command import CommandRecorder

ambient: Final = CommandRecorder()
"""Records on the run that is current where it is called."""

command = ambient.command
command_async = ambient.command_async
context_source = ambient.context_source
decision = ambient.decision
failure = ambient.failure
file_changed = ambient.file_changed
file_read = ambient.file_read
final_message = ambient.final_message
gate = ambient.gate
handoff = ambient.handoff
record_command = ambient.record_command
risk = ambient.risk
skipped = ambient.skipped
step = ambient.step
usage = ambient.usage
verification = ambient.verification
