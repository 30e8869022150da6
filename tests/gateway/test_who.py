"""Nobody without good credentials gets in; a secret is seen once, kept as a hash, and found nowhere else."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.tenants import key_for
from tests.support.world import world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.gateway.limits import MOST_ATTEMPTS
from theseus.gateway.serving import authenticator
from theseus.gateway.who import tokens
from theseus.stores.archive.opening import archive

SECRET = "a secret of more than sixty-four bytes, so that any HMAC takes it as it is"
ADA = {"email": "Ada@example.org", "password": "correct horse battery"}


@pytest_asyncio.fixture
async def shut(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway that asks who calls, and where anybody may register."""
    settings: dict[str, Any] = {"jwt_secret": SecretStr(SECRET), "registration": True}
    async with (
        archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept,
        world(temporal.client, model, tmp_path, archive=kept, **settings) as there,
        gateway(there, tmp_path, authenticator=authenticator(there.settings, kept)) as made,
    ):
        yield made


async def registered(door: Gateway, email: str = ADA["email"]) -> dict[str, str]:
    answer = await door.http.post("/api/v1/auth/register", json={**ADA, "email": email})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def me(door: Gateway, headers: dict[str, str]) -> httpx.Response:
    return await door.http.get("/api/v1/auth/me", headers=headers)


async def test_who_registers_is_in_a_tenant_of_their_own_and_may_log_in_again(shut: Gateway) -> None:
    first = await registered(shut)
    said = (await me(shut, bearer(first["access_token"]))).json()
    assert (said["user_id"], said["tenant_id"], said["email"], said["role"]) == (
        *(first["user_id"], first["tenant_id"]),
        *("ada@example.org", "admin"),
    )
    second = await shut.http.post("/api/v1/auth/login", json={**ADA, "email": "ADA@example.org"})
    assert second.status_code == 200 and second.json()["user_id"] == first["user_id"]
    assert second.json()["expires_in"] == 1800 and second.json()["token_type"] == "Bearer"
    again = await shut.http.post("/api/v1/auth/register", json=ADA)
    assert again.status_code == 409
    assert (await registered(shut, "bob@example.org"))["tenant_id"] != first["tenant_id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "x", "password": "long enough one"},
        {"email": "a@b", "password": "short"},
        {"email": "a@b", "password": "long enough one", "role": "admin"},
        {"email": ["a@b"], "password": "long enough one"},
        {"email": "a@b\n", "password": 5},
        {"email": "a@b", "password": "long enough \x00 one"},
        {"email": "a" * 300 + "@b", "password": "long enough one"},
    ],
)
async def test_a_registration_that_is_none_is_refused(shut: Gateway, body: object) -> None:
    answer = await shut.http.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 400 and set(answer.json()) == {"error"}


async def test_a_wrong_password_and_an_unknown_address_are_told_alike(shut: Gateway) -> None:
    await registered(shut)
    wrong = await shut.http.post("/api/v1/auth/login", json={**ADA, "password": "another one"})
    nobody = await shut.http.post("/api/v1/auth/login", json={**ADA, "email": "eve@example.org"})
    assert wrong.status_code == nobody.status_code == 401 and wrong.json() == nobody.json()


async def test_nobody_guesses_passwords_as_fast_as_they_can_send(shut: Gateway) -> None:
    await registered(shut)

    async def tried(email: str) -> int:
        body = {"email": email, "password": "not the password"}
        return (await shut.http.post("/api/v1/auth/login", json=body)).status_code

    answers = [await tried("ada@example.org") for _ in range(MOST_ATTEMPTS + 2)]
    assert answers == [401] * MOST_ATTEMPTS + [429] * 2
    assert await tried("ADA@example.org") == 429 and await tried("bob@example.org") == 401


async def test_a_refresh_token_is_good_once_and_a_stolen_one_ends_the_login(shut: Gateway) -> None:
    async def refresh(token: str) -> httpx.Response:
        return await shut.http.post("/api/v1/auth/refresh", json={"refresh_token": token})

    first = await registered(shut)
    second = (await refresh(first["refresh_token"])).json()
    assert (await me(shut, bearer(second["access_token"]))).status_code == 200
    assert (await refresh(first["refresh_token"])).status_code == 401, "used up"
    assert (await refresh(second["refresh_token"])).status_code == 401, "whoever has it, its login is over"
    other = await registered(shut, "bob@example.org")
    both = await asyncio.gather(refresh(other["refresh_token"]), refresh(other["refresh_token"]))
    assert sorted(each.status_code for each in both) == [200, 401]
    for nonsense in ("", "rt_nobody", other["access_token"]):
        assert (await refresh(nonsense)).status_code == 401


async def test_an_access_token_that_is_over_or_not_ours_opens_nothing(shut: Gateway) -> None:
    good = await registered(shut)
    claims = jwt.decode(good["access_token"], options={"verify_signature": False})
    over = {**claims, "exp": datetime.now(UTC) - timedelta(minutes=1)}
    forged = [
        jwt.encode(over, SECRET, "HS256"),
        jwt.encode(claims, SECRET[::-1], "HS256"),
        jwt.encode(claims, SECRET, "HS512"),
        jwt.encode(claims, cast(Any, None), "none"),
        jwt.encode({**claims, "iss": "somebody"}, SECRET, "HS256"),
        jwt.encode({name: value for name, value in claims.items() if name != "tid"}, SECRET, "HS256"),
        good["access_token"][:-4],
        good["refresh_token"],
    ]
    for token in forged:
        assert (await me(shut, bearer(token))).status_code == 401, token
    assert timedelta(hours=1) >= tokens.ACCESS


async def test_a_key_is_told_once_and_opens_as_header_and_as_bearer(shut: Gateway) -> None:
    login = bearer((await registered(shut))["access_token"])
    made = await shut.http.post("/api/v1/auth/api-keys", json={"name": "ci"}, headers=login)
    key = made.json()["key"]
    assert made.status_code == 201 and key.startswith("sk_")
    for headers in ({"X-API-Key": key}, bearer(key), {"Authorization": f"bearer  {key}"}):
        assert (await me(shut, headers)).json()["user_id"] == (await me(shut, login)).json()["user_id"]
    listed = await shut.http.get("/api/v1/auth/api-keys", headers=login)
    assert key not in listed.text
    (line,) = listed.json()["api_keys"]
    assert line["name"] == "ci" and key.startswith(line["key_prefix"].rstrip("…")) and line["last_used_at"]


async def test_a_key_that_is_renewed_revoked_or_over_opens_nothing(shut: Gateway) -> None:
    login = bearer((await registered(shut))["access_token"])

    async def new(**more: str) -> dict[str, str]:
        return (await shut.http.post("/api/v1/auth/api-keys", json={"name": "ci", **more}, headers=login)).json()

    old = await new()
    renewed = await shut.http.post("/api/v1/auth/api-keys/refresh", json={}, headers={"X-API-Key": old["key"]})
    assert renewed.status_code == 200 and renewed.json()["key"] != old["key"]
    assert (await me(shut, {"X-API-Key": old["key"]})).status_code == 401
    current = {"X-API-Key": renewed.json()["key"]}
    assert (await me(shut, current)).status_code == 200
    gone = await shut.http.delete(f"/api/v1/auth/api-keys/{renewed.json()['id']}", headers=login)
    assert gone.json() == {"success": True, "message": "API key revoked"}
    assert (await me(shut, current)).status_code == 401
    brief = await new(expires_at=(datetime.now(UTC) + timedelta(seconds=0.5)).isoformat())
    assert (await me(shut, {"X-API-Key": brief["key"]})).status_code == 200
    await asyncio.sleep(0.6)
    assert (await me(shut, {"X-API-Key": brief["key"]})).status_code == 401


async def test_a_key_does_no_more_than_its_scopes_say(shut: Gateway) -> None:
    reads = await key_for(shut, "ada", "acme", scopes=("tasks:read", "keys:write"), role="admin")
    assert (await shut.http.get("/api/v1/tasks", headers=reads)).status_code == 200
    refused = await shut.http.post("/api/v1/tasks", json={"query": "x"}, headers=reads)
    assert refused.status_code == 403 and "tasks:write" in refused.json()["error"]
    assert (await shut.http.get("/api/v1/sessions", headers=reads)).status_code == 403

    async def wish(**body: object) -> int:
        return (await shut.http.post("/api/v1/auth/api-keys", json={"name": "x", **body}, headers=reads)).status_code

    assert await wish(scopes=["tasks:read"]) == 201
    assert await wish() == 403, "one without scopes may do all"
    assert await wish(scopes=["tasks:write"]) == 403
    assert await wish(scopes=["everything"]) == 400
    user = await key_for(shut, "bob", "acme")
    made = await shut.http.post("/api/v1/auth/api-keys", json={"name": "x", "role": "admin"}, headers=user)
    assert made.status_code == 403


async def test_a_key_in_an_address_opens_streams_alone(shut: Gateway) -> None:
    key = (await key_for(shut, "ada", "acme"))["X-API-Key"]
    assert (await shut.http.get(f"/api/v1/tasks?api_key={key}")).status_code == 401
    assert (await shut.http.get(f"/api/v1/tasks/nobody?api_key={key}")).status_code == 401
    for path in ("/api/v1/stream/sse?workflow_id=nobody", "/api/v1/tasks/nobody/stream?types="):
        stream = await shut.http.get(f"{path}&api_key={key}")
        assert stream.status_code == 404, "it got in, and found no task"


async def test_a_refusal_says_how_to_come_in(shut: Gateway) -> None:
    for headers in ({}, {"X-API-Key": "sk_test_123456"}, bearer("x"), {"Authorization": "Basic YTpi"}):
        answer = await shut.http.get("/api/v1/tasks", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_no_secret_is_in_the_database_or_a_log(
    shut: Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    login = await registered(shut)
    made = await shut.http.post("/api/v1/auth/api-keys", json={"name": "x"}, headers=bearer(login["access_token"]))
    key = made.json()["key"]
    await shut.http.post("/api/v1/auth/login", json={**ADA, "password": "not the password"})
    await shut.http.get(f"/api/v1/stream/sse?workflow_id=nobody&api_key={key}")
    task = await shut.http.post("/api/v1/tasks", json={"query": "x"}, headers={"X-API-Key": key})
    handle = shut.world.client.get_workflow_handle(task.json()["task_id"])
    await handle.result()
    kept = b"".join(each.read_bytes() for each in tmp_path.glob("archive.db*"))
    lines = [each.getMessage() for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    told = "\n".join(lines) + json.dumps((await handle.fetch_history()).to_json_dict())
    for secret in (key, login["refresh_token"], login["access_token"], ADA["password"]):
        assert secret.encode() not in kept and secret not in told


async def test_without_a_secret_to_sign_with_keys_alone_open_the_gateway(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    async with (
        archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept,
        world(temporal.client, model, tmp_path, archive=kept, work=False) as there,
        gateway(there, tmp_path, authenticator=authenticator(there.settings, kept)) as door,
    ):
        refused = await door.http.post("/api/v1/auth/login", json=ADA)
        assert refused.status_code == 403 and "GATEWAY_JWT_SECRET" in refused.json()["error"]
        assert (await me(door, await key_for(door, "ada", "acme"))).status_code == 200


async def test_registration_is_off_unless_it_is_switched_on(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    async with (
        world(temporal.client, model, tmp_path, work=False, jwt_secret=SecretStr(SECRET)) as there,
        gateway(there, tmp_path) as door,
    ):
        refused = await door.http.post("/api/v1/auth/register", json=ADA)
        assert refused.status_code == 403 and "GATEWAY_REGISTRATION" in refused.json()["error"]
