"""Where a server is seen to do otherwise than the table says, and why that is as it is.

A difference that no longer exists fails the test, as does one that is not listed.
"""

from __future__ import annotations

from typing import Final

import grpc

from conformance.cases import Seen
from conformance.grpc_cases import code
from conformance.refusals import GRPC_REFUSALS, HTTP_REFUSALS

_WHOLE: Final = "it unmarshals requests whole: one id of a wrong length costs all spans of the request"
_ANY_ID: Final = "it takes spans without ids; there is nothing a run record could do with them"
_PASSED_ON: Final = "it passes the bytes on as they are, and backends refuse or mend them"
_LIBRARY: Final = "it leaves unmarshalling to its gRPC library, whose codec says INTERNAL: permanent, both of them"
_NO_DELAY: Final = "it says that it is to be sent again, and leaves the time to the exporter"

DIFFERENCES: Final[dict[str, dict[str, tuple[Seen, str]]]] = {
    "collector": {
        "content-encoding-identity": (Seen(400, "status"), "it does not know the name of the encoding that is none"),
        "content-encoding-unknown": (
            Seen(400, "status"),
            "400, where HTTP has 415: permanent, both of them",
        ),
        "ids-in-base64": (Seen(400, "status"), _WHOLE),
        "invalid-utf8": (Seen(200, "success"), _PASSED_ON),
        "grpc-invalid-utf8": (Seen(0, "success"), _PASSED_ON),
        **{
            f"grpc-{what}": (Seen(code(grpc.StatusCode.INTERNAL), "status"), _LIBRARY)
            for what in ("rubbish-traces", "rubbish-logs", "rubbish-metrics", "cut-short")
        },
        **{
            f"grpc-one-bad-of-512-{name}-{defect}": (Seen(0, "success"), _ANY_ID)
            for name in ("trace_id", "span_id")
            for defect in ("missing", "zero")
        },
        **{
            f"grpc-one-bad-of-512-{name}-{defect}": (Seen(code(grpc.StatusCode.INTERNAL), "status"), _WHOLE)
            for name in ("trace_id", "span_id")
            for defect in ("short", "long")
        },
        **{case.name: (Seen(case.expected.status, "status"), _NO_DELAY) for case in (*HTTP_REFUSALS, *GRPC_REFUSALS)},
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
