"""Every way in asks for the token: each route in each spelling, each gRPC method, and what is not there at all."""

from __future__ import annotations

import grpc
import pytest

from agent_otel.service.grpc import METHODS
from agent_otel.service.routes import Route, routes

TOKEN, NEXT = "first-token-0123456789", "other-token-0123456789"
PUBLIC = {"/healthz", "/readyz"}


def nobody(_):
    """Answers nothing: only the table is of interest."""


TABLE: tuple[Route, ...] = routes(healthz=nobody, readyz=nobody, metrics=nobody, api=nobody)
VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
SPELLINGS = {
    "as it is": lambda path: path,
    "doubled slash": lambda path: f"/{path}",
    "trailing slash": lambda path: f"{path}/",
    "in capitals": str.upper,
    "percent-encoded": lambda path: f"/%{ord(path[1]):02x}{path[2:]}",
    "encoded slash": lambda path: f"/%2f{path[1:]}",
    "through a dot": lambda path: f"/.{path}",
    "through the parent": lambda path: f"/healthz/..{path}",
    "with a query": lambda path: f"{path}?x=/healthz",
    "with parameters": lambda path: f"{path};/healthz",
    "absolute": lambda path: f"http://localhost{path}",
}


@pytest.fixture
def guarded(listen):
    """Listeners that ask for a token."""
    return listen(tokens=(TOKEN, NEXT))


def test_only_health_is_public():
    """Whoever adds a route sees this."""
    assert {route.path for route in TABLE if route.public} == PUBLIC


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_route_asks_for_the_token(guarded, spelling):
    """Whatever the method and the spelling, and whether it is there or not: without a token all doors look the same."""
    paths = [route.path + ("runs" if route.path.endswith("/") else "") for route in TABLE if not route.public]
    bodies = set()
    for path in (*paths, "/", "/nowhere", "/api", "/api/"):
        for method in VERBS:
            for headers in ({}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": f"Basic {TOKEN}"}):
                reply = guarded.ask(method, SPELLINGS[spelling](path) if path != "/" else path, headers=headers)
                assert (reply.status, reply.headers["www-authenticate"]) == (401, 'Bearer realm="agent-otel"'), path
                assert "allow" not in reply.headers
                if method != "HEAD":
                    bodies.add(reply.body)
    assert len(bodies) == 1


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_health_asks_for_nothing(guarded, path):
    """Probes have no token; what they may not do says nothing else."""
    assert guarded.ask("GET", path).status == 200
    assert guarded.ask("HEAD", path).status == 200
    assert guarded.ask("POST", path).status == 405


@pytest.mark.parametrize("token", [TOKEN, NEXT])
def test_with_a_token_one_is_let_in(guarded, token):
    """Any of several; the scheme in any case."""
    headers = {"authorization": f"bearer {token}"}
    for route in TABLE:
        path = route.path + ("runs" if route.path.endswith("/") else "")
        body = b"" if route.signal else None
        given = {**headers, "content-type": "application/x-protobuf"} if route.signal else headers
        assert guarded.ask(route.methods[0], path, body, given).status == 200, path
    # Who has a token may use any name for the host: it is no secret of a browser's.
    assert guarded.ask("GET", "/api/runs", headers={**headers, "host": "processor.example"}).status == 200


def test_two_tokens_in_two_headers_are_none(guarded):
    """Nobody is let in by a list."""
    joined = {"authorization": f"Bearer {TOKEN}x, Bearer {TOKEN}"}
    assert guarded.ask("GET", "/api/runs", headers=joined).status == 401


@pytest.mark.parametrize("method", [*METHODS, "/opentelemetry.proto.collector.trace.v1.TraceService/Nothing", "/x/y"])
@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", f"Bearer {TOKEN}x"),),
        (("authorization", "Bearer x"), ("authorization", f"Bearer {TOKEN}")),
    ],
    ids=["none", "wrong", "two"],
)
def test_every_grpc_method_asks_for_the_token(guarded, method, metadata):
    """Also those that do not exist."""
    with grpc.insecure_channel(guarded.grpc) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(method)(b"", metadata=metadata, timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_with_a_token_grpc_lets_in(guarded):
    """And then says what there is."""
    metadata = (("authorization", f"Bearer {NEXT}"),)
    with grpc.insecure_channel(guarded.grpc) as channel:
        for method in METHODS:
            assert channel.unary_unary(method)(b"", metadata=metadata, timeout=20) == b""
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/x/y")(b"", metadata=metadata, timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
