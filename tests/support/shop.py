"""A small HTTP API for tests with its OpenAPI document; it keeps every request that it gets."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.servers import free_port

ITEM = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "minLength": 1},
        "note": {"type": "string", "nullable": True},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "shop", "version": "1"},
    "servers": [{"url": "/{stage}", "variables": {"stage": {"default": "v1"}}}],
    "components": {
        "schemas": {"Item": ITEM},
        "parameters": {
            "Page": {"name": "page[size]", "in": "query", "schema": {"type": "integer", "maximum": 50}},
        },
    },
    "paths": {
        "/items": {
            "get": {
                "operationId": "listItems",
                "summary": "Lists items.",
                "parameters": [
                    {"$ref": "#/components/parameters/Page"},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {
                        "name": "ids",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "integer"}},
                    },
                    {"name": "where", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                    {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                    {"name": "api_key", "in": "query", "required": True, "schema": {"type": "string"}},
                ],
            },
            "post": {
                "operationId": "addItem",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
                },
            },
        },
        "/items/{item_id}": {
            "parameters": [{"name": "item_id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "getItem"},
            "delete": {},
        },
        "/photo": {"get": {"operationId": "photo"}, "put": {"requestBody": {"required": True, "content": {}}}},
        "/fails": {"get": {"operationId": "fails"}},
        "/moved": {"get": {"operationId": "moved"}},
        "/slow": {"post": {"operationId": "slow"}},
        "/big": {"get": {"operationId": "big"}},
        "/odd": {"get": {"operationId": "odd"}},
    },
}


class Shop:
    """The API while it runs."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.requests: list[dict[str, Any]] = []
        self.is_down = False

    async def answer(self, request: Request) -> Response:
        """Keeps the request and answers by its path."""
        body = await request.body()
        seen = {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": dict(request.headers),
            "body": body.decode(),
        }
        self.requests.append(seen)
        path = request.url.path
        if self.is_down:
            return PlainTextResponse("down for a moment", status_code=503)
        if path == "/openapi.json":
            return JSONResponse(DOCUMENT)
        if path.endswith("/photo"):
            return Response(b"\x89PNG\x00", media_type="image/png")
        if path.endswith("/fails"):
            told = f"out of order, {request.headers.get('authorization')} {request.url.query}"
            told += "!" * (1990 - len(told)) + str(request.headers.get("authorization"))
            return PlainTextResponse(told + "!" * 5000, status_code=503, headers={"Retry-After": "7"})
        if path.endswith("/moved"):
            return RedirectResponse("http://169.254.169.254/latest")
        if path.endswith("/slow"):
            await asyncio.sleep(5)
        if path.endswith("/big"):
            return PlainTextResponse("x" * 10_000_000)
        if path.endswith("/odd"):
            return Response("a9" * 250_000, headers={"Content-Type": "text/plain; charset=punycode"})
        if request.method == "DELETE":
            return Response(status_code=204)
        return JSONResponse({"ok": True})


@asynccontextmanager
async def shop() -> AsyncGenerator[Shop]:
    """Runs the API."""
    port = free_port()
    made = Shop(port)
    app = Starlette(routes=[Route("/{rest:path}", made.answer, methods=["GET", "POST", "PUT", "DELETE"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        yield made
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
