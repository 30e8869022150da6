"""Every address of the gateway: shut to who brings no key, and to another tenant as if nothing were there.

The table is made from the application itself, so that no new address is forgotten.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute
from temporalio.testing import WorkflowEnvironment
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.gateway import Gateway, gateway
from tests.support.tenants import key_for
from tests.support.world import world
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import running
from theseus.gateway.app import ROUTERS
from theseus.gateway.serving import authenticator
from theseus.stores.archive.opening import archive

OPEN = {
    "/health",
    "/readiness",
    "/",
    "/page/{name}",
    "/api/v1/auth/register",
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
}
"""What is open to all: probes, the page (which asks with the key that is typed into it), and how one comes in."""

NOBODYS = {
    "/metrics",
    *("/api/v1/roles", "/api/v1/skills", "/api/v1/skills/{name}", "/api/v1/skills/{name}/versions"),
    *("/api/v1/templates", "/api/v1/templates/{name}", "/api/v1/tools", "/api/v1/tools/{name}"),
    *("/v1/models", "/v1/models/{name:path}", "/v1/chat/completions", "/v1/completions"),
    *("/api/v1/tasks", "/api/v1/tasks/stream", "/api/v1/sessions", "/api/v1/schedules"),
    *("/api/v1/auth/me", "/api/v1/auth/api-keys", "/api/v1/auth/api-keys/refresh", "/api/v1/auth/refresh-key"),
    *("/api/v1/memory/files", "/api/v1/memory/files/{path:path}"),
}
"""What names nothing of anybody: it starts or lists what is the caller's own, or is the same for all."""

Address = tuple[str, str]


def addresses(routes: list[BaseRoute]) -> list[Address]:
    """Every method and path template."""
    found: list[Address] = []
    for route in routes:
        if isinstance(route, APIRoute):
            found += [(method, route.path) for method in sorted(route.methods or ())]
        elif isinstance(route, APIWebSocketRoute):
            found.append(("WS", route.path))
    return found


ALL = addresses([route for router in ROUTERS for route in router.routes])


@dataclass
class Town:
    """A gateway, what belongs to Ada of one tenant, and Eve's key of another."""

    door: Gateway
    ada: dict[str, str]
    eve: dict[str, str]
    ids: dict[str, str]

    def path(self, template: str) -> str:
        """The address of something of Ada's."""
        return re.sub(r"\{(\w+)(:path)?\}", lambda match: self.ids[match[1]], template)

    async def ask(self, method: str, template: str, key: dict[str, str]) -> int:
        """The status of an answer."""
        path, params = self.path(template), {"workflow_id": self.ids["task_id"]}
        if method == "WS":
            try:
                async with connect(
                    f"{self.door.url.replace('http', 'ws')}{path}?workflow_id={params['workflow_id']}",
                    additional_headers=key,
                ):
                    return 101
            except InvalidStatus as refused:
                return refused.response.status_code
        body: Any = {"workflow_id": self.ids["task_id"], "approval_id": "a", "approved": True}
        if "approvals" not in path:
            body = BODIES.get(template, {})
        sent = None if method in ("GET", "DELETE", "HEAD") else body
        return (await self.door.http.request(method, path, params=params, json=sent, headers=key)).status_code


BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/tasks/{task_id}/review": {"action": "approve"},
    "/api/v1/swarm/{task_id}/message": {"message": "hello"},
    "/api/v1/swarm/{workflow_id}/message": {"message": "hello"},
    "/api/v1/sessions/{session_id}": {"title": "mine"},
    "/api/v1/schedules/{schedule_id}": {"name": "mine"},
}


@pytest_asyncio.fixture(scope="module")
async def town(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    async with (
        running(Script()) as model,
        archive(f"sqlite:///{folder / 'archive.db'}") as kept,
        world(temporal.client, model, folder, archive=kept) as there,
        gateway(there, folder, authenticator=authenticator(there.settings, kept)) as door,
    ):
        ada = await key_for(door, "ada", "acme", role="admin")
        eve = await key_for(door, "eve", "globex", role="admin")
        session = {"query": "Ada's secret", "session_id": "adas-session"}
        task_id = (await door.http.post("/api/v1/tasks", json=session, headers=ada)).json()["task_id"]
        await there.client.get_workflow_handle(task_id).result()
        key_id = (await kept.accounts.keys("acme"))[0].key_id
        ids = {"task_id": task_id, "workflow_id": task_id, "session_id": "adas-session", "key_id": key_id}
        yield Town(
            door, ada, eve, {**ids, "path": "notes.txt", "name": "nothing", "schedule_id": await schedule(door, ada)}
        )


async def schedule(door: Gateway, key: dict[str, str]) -> str:
    """The id of a schedule of Ada's."""
    if not any(path.startswith("/api/v1/schedules") for _, path in ALL):
        return "none"
    body = {"name": "daily", "cron_expression": "0 9 * * *", "task_query": "Ada's report"}
    answer = await door.http.post("/api/v1/schedules", json=body, headers=key)
    assert answer.status_code == 201, answer.text
    return answer.json()["schedule_id"]


@pytest.mark.parametrize(("method", "template"), [each for each in ALL if each[1] not in OPEN])
async def test_without_a_key_nothing_opens(town: Town, method: str, template: str) -> None:
    assert await town.ask(method, template, {}) == 401


@pytest.mark.parametrize(("method", "template"), [each for each in ALL if each[1] not in OPEN | NOBODYS])
async def test_another_tenants_are_not_there(town: Town, method: str, template: str) -> None:
    assert await town.ask(method, template, town.eve) == 404


@pytest.mark.parametrize(
    "template", ["/api/v1/tasks", "/api/v1/sessions", "/api/v1/schedules", "/api/v1/auth/api-keys"]
)
async def test_lists_show_nothing_of_another_tenant(town: Town, template: str) -> None:
    if ("GET", template) not in ALL:
        pytest.skip("there is no such list")
    hers = await town.door.http.get(template, headers=town.ada)
    assert "ada" in hers.text.lower()
    assert "ada" not in (await town.door.http.get(template, headers=town.eve)).text.lower()


async def test_what_was_not_there_is_as_it_was(town: Town) -> None:
    """Asked last: nothing that Eve tried changed anything."""
    http, ada = town.door.http, town.ada
    task = await http.get(f"/api/v1/tasks/{town.ids['task_id']}", headers=ada)
    assert task.json()["status"] == "TASK_STATUS_COMPLETED"
    session = await http.get("/api/v1/sessions/adas-session", headers=ada)
    assert session.status_code == 200 and session.json()["title"] != "mine"
    assert (await http.get("/api/v1/auth/me", headers=ada)).status_code == 200
