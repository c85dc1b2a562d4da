"""The description of the API (OpenAPI 3.1), made from the table of its routes and the schema of run records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from agent_otel.model.record import json_schema
from agent_otel.sdk.state import VERSION
from agent_otel.service.api import problems
from agent_otel.service.api.parameters import Parameter
from agent_otel.service.api.routes import JSON, Route

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_ETAG: Final = {"ETag": {"description": "Changes with the body.", "schema": {"type": "string"}}}
_LINK: Final = {"Link": {"description": 'The next page, as `rel="next"`.', "schema": {"type": "string"}}}
_RUN_ID: Final = {
    "name": "run_id",
    "in": "path",
    "required": True,
    "description": "The run, percent-encoded as one segment: a slash is %2F.",
    "schema": {"type": "string", "minLength": 1},
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of what one has.",
    "schema": {"type": "string"},
}


def description(routes: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "agent-otel",
            "version": VERSION or "unknown",
            "description": "Run records of coding agents, and the telemetry behind them.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": {route.path: {"get": _operation(route)} for route in routes},
        "components": {
            "schemas": {**_record_schemas(), "Problem": dict(problems.SCHEMA)},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Where the processor has tokens."}
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    return {
        "operationId": route.name,
        "summary": route.summary,
        **({"description": route.description} if route.description else {}),
        "parameters": [
            *([_RUN_ID] if "{run_id}" in route.path else []),
            *map(_parameter, route.parameters),
            _IF_NONE_MATCH,
        ],
        "responses": {
            "200": {
                "description": route.summary,
                "headers": _ETAG | (_LINK if route.paged else {}),
                "content": {JSON: {"schema": dict(route.answers)}},
            },
            "304": {"description": "What one has is still right.", "headers": _ETAG},
            "400": _refused("A parameter is unknown, or has a value that cannot be."),
            "401": {"description": "A token is needed."},
            **({"404": _refused("There is no such run.")} if "{run_id}" in route.path else {}),
            "503": {"description": "The database cannot be read now; try again after `Retry-After`."},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.help,
        "schema": dict(parameter.schema),
    }


def _refused(what: str) -> dict[str, Any]:
    return {"description": what, "content": {problems.PROBLEM: {"schema": _PROBLEM}}}


def _record_schemas() -> dict[str, Any]:
    """The schema of run records and its parts, with references as OpenAPI has them."""
    parts: dict[str, Any] = _moved(json_schema()["$defs"])
    return parts


def _moved(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_moved(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: part.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _moved(part)
        for key, part in schema.items()
    }
