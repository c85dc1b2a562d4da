"""A server that cannot take anything right now says so in a way that exporters come back by."""

from __future__ import annotations

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from conformance.cases import Seen
from conformance.refusals import GRPC_REFUSALS, HTTP_REFUSALS
from conformance.test_grpc import SERVICES
from conformance.test_http import connect, exchange, expected_of, seen

DETAILS = "grpc-status-details-bin"


def delay(seconds: float | None) -> str:
    """What is said of it."""
    if seconds is None:
        return ""
    return ", come back in 1 to 5 s" if 1 <= seconds <= 5 else f", come back in {seconds:g} s"


@pytest.mark.parametrize("case", HTTP_REFUSALS, ids=lambda case: case.name)
def test_http(refusing, case):
    """The status, a body in the request's encoding, and when to come back."""
    connection = connect(refusing)
    status, headers, body = exchange(connection, case)
    connection.close()
    after = headers.get("retry-after")
    plain = seen(case, status, headers, body)
    assert Seen(status, plain.says + delay(None if after is None else float(after))) == expected_of(refusing, case)


@pytest.mark.parametrize("case", GRPC_REFUSALS, ids=lambda case: case.name)
def test_grpc(refusing, case):
    """The code, and details of when to come back."""
    with grpc.insecure_channel(refusing.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(SERVICES[case.signal])(case.body, timeout=30)
    details = Status.FromString(dict(caught.value.trailing_metadata() or ()).get(DETAILS, b"")).details
    info = RetryInfo()
    told = any(each.Unpack(info) for each in details)
    says = ("status" if caught.value.details() else "something") + delay(info.retry_delay.ToSeconds() if told else None)
    assert Seen(caught.value.code().value[0], says) == expected_of(refusing, case)
