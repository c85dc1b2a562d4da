"""A coding agent in small: a policy decides, gates allow, a sandbox acts, and every step is observed.

Read it in this order: ``policy`` (what to do next) · ``gates`` and ``sandbox`` (what may be done) · ``ledger`` (how
much may be seen) · ``tools`` (what can be done) · ``agent_run`` (the loop around it all) · ``report`` and
``evaluate`` (what came of it) · ``telemetry`` (where the spans go) · ``promises`` (what must hold at the end).
"""
