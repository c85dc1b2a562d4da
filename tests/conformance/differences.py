"""Where a server is seen to do otherwise than the table says, and why that is as it is.

A difference that no longer exists fails the test, as does one that is not listed.
"""

from __future__ import annotations

from typing import Final

from conformance.cases import Seen

_WHOLE: Final = "it unmarshals requests whole: one id of a wrong length costs all spans of the request"
_ANY_ID: Final = "it takes spans without ids; there is nothing a run record could do with them"

DIFFERENCES: Final[dict[str, dict[str, tuple[Seen, str]]]] = {
    "collector": {
        "content-encoding-identity": (Seen(400, "status"), "it does not know the name of the encoding that is none"),
        "content-encoding-unknown": (
            Seen(400, "status"),
            "400, where HTTP has 415: permanent, both of them",
        ),
        "ids-in-base64": (Seen(400, "status"), _WHOLE),
        "invalid-utf8": (Seen(200, "success"), "it passes the bytes on as they are, and backends refuse or mend them"),
        **{
            f"one-bad-of-512-{name}-{defect}": (Seen(200, "success"), _ANY_ID)
            for name in ("trace_id", "span_id")
            for defect in ("missing", "zero")
        },
        **{
            f"one-bad-of-512-{name}-{defect}": (Seen(400, "status"), _WHOLE)
            for name in ("trace_id", "span_id")
            for defect in ("short", "long")
        },
        **{
            f"one-bad-of-512-json-{name}-{defect}": (seen, reason)
            for name in ("traceId", "spanId")
            for defect, seen, reason in (
                ("missing", Seen(200, "success"), _ANY_ID),
                ("short", Seen(400, "status"), _WHOLE),
                ("no-hex", Seen(400, "status"), _WHOLE),
            )
        },
    },
}
