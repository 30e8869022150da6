"""`GET /openapi.json` says what is: whatever is sent, no answer is a fault, and none has a status or shape it does not name."""

import asyncio
import re
import sys

from tests.support.gateway import Gateway, people

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES, SECONDS = 5, 45
WORKERS = 1
"""Two threads of it that read source at the same time break Python 3.11: SystemError, AST constructor recursion depth."""


async def test_the_document_names_every_address_of_the_summary(door: Gateway) -> None:
    paths = (await door.http.get("/openapi.json")).json()["paths"]
    assert len(paths) >= 40
    named = ("tasks", "schedules/{schedule_id}/runs", "auth/api-keys", "sessions/{session_id}/history", "stream/sse")
    for path in (*(f"/api/v1/{name}" for name in named), "/v1/chat/completions", "/health", "/readiness"):
        assert path in paths


async def test_the_document_says_what_every_request_has_to_hold(door: Gateway) -> None:
    paths = (await door.http.get("/openapi.json")).json()["paths"]
    changing = {(method, path): each for path, own in paths.items() for method, each in own.items() if method != "get"}
    without = {path for (method, path), each in changing.items() if method != "delete" and "requestBody" not in each}
    assert not without
    task = changing["post", "/api/v1/tasks"]["requestBody"]["content"]["application/json"]["schema"]
    assert task["required"] == ["query"] and {"session_id", "context", "limits"} < task["properties"].keys()
    assert not {"user_id", "tenant_id", "task_id"} & task["properties"].keys(), "they come with the key"
    chat = changing["post", "/v1/chat/completions"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"messages", "temperature"} < chat["properties"].keys()
    for path in ("/api/v1/stream/sse", "/metrics", "/api/v1/tasks"):
        assert "application/json" in paths[path]["get"]["responses"]["4XX"]["content"], path


async def test_the_document_says_where_a_key_is_needed_and_how_it_comes(door: Gateway) -> None:
    told = (await door.http.get("/openapi.json")).json()
    known = told["components"]["securitySchemes"]
    assert {name: (each["type"], each.get("in"), each.get("name")) for name, each in known.items()} == {
        "X-API-Key": ("apiKey", "header", "X-API-Key"),
        "Bearer": ("http", None, None),
        "api_key": ("apiKey", "query", "api_key"),
    }
    async with people(door, "nobody") as (nobody,):
        for path, method, each in [(path, *each) for path, own in told["paths"].items() for each in own.items()]:
            # an empty body, so that a route without a key says what is missing
            answer = await nobody.request(method, re.sub(r"{[^}]+}", "x", path), params={"workflow_id": "t"})
            assert (answer.status_code == 401) is ("security" in each), (method, path, answer.status_code)
            ways = {way for one in each.get("security", []) for way in one}
            usual = {"X-API-Key", "Bearer"} if answer.status_code == 401 else set[str]()
            assert ways == (usual | {"api_key"} if "stream" in path and method == "get" else usual), (method, path)


async def test_the_document_says_what_a_list_of_held_tasks_is(door: Gateway) -> None:
    asked = (await door.http.get("/openapi.json")).json()["paths"]["/api/v1/tasks"]["get"]["parameters"]
    (status,) = [each for each in asked if each["name"] == "status"]
    assert "QUEUED, RUNNING and PAUSED give all tasks that have not ended" in status["description"]


async def test_whatever_is_sent_is_answered_as_the_document_says(door: Gateway) -> None:
    command = (
        *(
            sys.executable,
            "-c",
            "from schemathesis.cli import schemathesis; schemathesis()",
            "run",
            f"{door.url}/openapi.json",
        ),
        *("--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
        *(
            "--seed",
            "6",
            "--workers",
            str(WORKERS),
            "--request-timeout",
            "20",
            "--no-color",
            "--suppress-health-check",
            "all",
        ),
        *("--generation-database", "none", "--max-time", str(SECONDS), "--exclude-path-regex", "stream|completions"),
    )
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-6000:]
