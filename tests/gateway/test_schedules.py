"""A schedule is made, seen, changed, held and ended by its owner, within its limits; what cannot be is refused in words."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from temporalio.client import Client, ScheduleOverlapPolicy, ScheduleUpdateInput
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from tests.gateway.test_sessions import got
from tests.support.gateway import Gateway, listening, people
from tests.support.temporal import dev_server
from theseus.runtime import DATA_CONVERTER
from theseus.stores.archive.port import Archive, ArchiveDownError

ALL = "/api/v1/schedules"
DAILY = {"name": "News", "cron_expression": "0 9 * * 1-5", "task_query": "What is new?"}


async def made(http: httpx.AsyncClient, **keys: Any) -> dict[str, Any]:
    answer = await http.post(ALL, json={**DAILY, **keys})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_schedule_is_made_and_seen_with_all_that_was_given(door: Gateway) -> None:
    told = await made(
        door.http,
        name="  News ",
        description="of the day",
        timezone="Europe/Berlin",
        task_context={"role": "generalist", "customer": 7},
        max_budget_per_run_usd=0.5,
        timeout_seconds=600,
        overlap_policy="buffer_one",
    )
    assert told["name"] == "News" and told["status"] == "ACTIVE" and told["user_id"] == "dev"
    assert (told["max_budget_per_run_usd"], told["timeout_seconds"]) == (0.5, 600)
    assert (told["last_run_at"], told["paused_at"], told["pause_reason"]) == ("", "", "")
    assert (told["total_runs"], told["successful_runs"], told["failed_runs"]) == (0, 0, 0)
    due = datetime.fromisoformat(told["next_run_at"])
    assert timedelta() < due - datetime.now(UTC) <= timedelta(days=3, hours=1) and due.hour in (7, 8)
    path = f"{ALL}/{told['schedule_id']}"
    assert await got(door.http, path) == told
    assert (await got(door.http, ALL))["schedules"] == [told]
    assert (await got(door.http, f"{path}/runs")) == {"runs": [], "total_count": 0, "page": 1, "page_size": 20}
    seen = await door.world.client.get_schedule_handle(told["schedule_id"]).describe()
    assert seen.info.next_action_times[0] == due, "Temporal runs it when we say"
    assert seen.schedule.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE


async def test_what_is_left_out_has_a_default_within_the_limits(door: Gateway) -> None:
    told = await made(door.http, description=None, timezone=None, task_context=None, max_budget_per_run_usd=None)
    assert (told["description"], told["timezone"], told["task_context"]) == ("", "UTC", {})
    assert (told["max_budget_per_run_usd"], told["timeout_seconds"], told["overlap_policy"]) == (5.0, 3600, "skip")


DEEP: dict[str, Any] = {"task_context": {"role": "nobody"}}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name: is required"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a\0b"}, "name: holds characters"),
        ({"task_query": " "}, "task_query"),
        ({"task_query": "x" * 10_001}, "task_query"),
        ({"cron_expression": ""}, "cron_expression"),
        ({"cron_expression": "soon"}, "five fields"),
        ({"cron_expression": "0 9 * *"}, "five fields"),
        ({"cron_expression": "0 0 9 * * *"}, "five fields"),
        ({"cron_expression": "61 9 * * *"}, "61 9"),
        ({"cron_expression": "@every 5s"}, "five fields"),
        ({"cron_expression": "0 0 31 2 *"}, "day-of-month"),
        ({"cron_expression": "0 0 31 4,6 *"}, "day-of-month"),
        ({"cron_expression": 5}, "cron_expression"),
        ({"cron_expression": "* * * * *"}, "runs too often"),
        ({"cron_expression": "*/30 * * * *"}, "at least 60 minutes"),
        ({"cron_expression": "0,59 9 * * *"}, "runs too often"),
        ({"cron_expression": "59 23 * * *", "timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "localtime"}, "timezone"),
        ({"timezone": "America"}, "timezone"),
        ({"timezone": "europe/berlin"}, "timezone"),
        ({"max_budget_per_run_usd": -1}, "max_budget_per_run_usd"),
        ({"max_budget_per_run_usd": 0}, "max_budget_per_run_usd"),
        ({"max_budget_per_run_usd": 10.01}, "above the limit of $10"),
        ({"max_budget_per_run_usd": "much"}, "max_budget_per_run_usd"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": -5}, "timeout_seconds"),
        ({"timeout_seconds": 2_592_001}, "timeout_seconds"),
        ({"timeout_seconds": 1.5}, "timeout_seconds"),
        ({"overlap_policy": "never"}, "overlap_policy"),
        ({"task_context": ["x"]}, "task_context"),
        (DEEP, "task_context.role"),
        ({"task_context": {"provider_override": "acme"}}, "task_context.provider_override: there is no provider"),
        ({"task_context": {"disable_ai": True}}, "task_context.disable_ai"),
        ({"task_context": {"a": "x" * 70_000}}, "task_context: 70,009 bytes"),
        ({"user_id": "root"}, "user_id: unknown key"),
        ({"tenant_id": "evil"}, "tenant_id: unknown key"),
    ],
)
async def test_what_cannot_be_is_refused_and_leaves_nothing(door: Gateway, keys: dict[str, Any], words: str) -> None:
    answer = await door.http.post(ALL, json={**DAILY, **keys})
    assert answer.status_code == 400 and words in answer.json()["error"], answer.text
    assert (await got(door.http, ALL))["total_count"] == 0
    kept = await made(door.http)
    answer = await door.http.put(f"{ALL}/{kept['schedule_id']}", json={k: v for k, v in keys.items() if v is not None})
    assert answer.status_code == (200 if keys == {"name": None} else 400)
    assert await got(door.http, f"{ALL}/{kept['schedule_id']}") == kept or keys == {"name": None}


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b'{"name": ', b"\xff", b'{"max_budget_per_run_usd": NaN}'])
async def test_what_is_no_schedule_is_refused(door: Gateway, body: bytes) -> None:
    answer = await door.http.post(ALL, content=body)
    assert answer.status_code == 400 and set(answer.json()) == {"error"}


async def test_what_is_changed_is_changed_and_the_rest_stays(door: Gateway) -> None:
    before = await made(door.http, task_context={"customer": 7}, timezone="Asia/Tokyo")
    path = f"{ALL}/{before['schedule_id']}"
    answer = await door.http.put(path, json={"cron_expression": "30 6 * * *", "max_budget_per_run_usd": 2})
    assert answer.status_code == 200
    after = answer.json()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"cron_expression", "max_budget_per_run_usd", "updated_at", "next_run_at"}
    assert datetime.fromisoformat(after["next_run_at"]).strftime("%H:%M") == "21:30"
    seen = await door.world.client.get_schedule_handle(before["schedule_id"]).describe()
    assert seen.info.next_action_times[0] == datetime.fromisoformat(after["next_run_at"])
    assert (await door.http.put(path, json={"clear_task_context": True})).json()["task_context"] == {}
    assert (await door.http.put(path, json={"task_context": {"a": "b"}})).json()["task_context"] == {"a": "b"}
    assert (await door.http.put(path, json={})).json()["name"] == "News"


async def test_a_schedule_is_held_and_goes_on(door: Gateway) -> None:
    before = await made(door.http)
    path = f"{ALL}/{before['schedule_id']}"
    held = (await door.http.post(f"{path}/pause", json={"reason": "holidays"})).json()
    assert (held["status"], held["pause_reason"], held["next_run_at"]) == ("PAUSED", "holidays", "")
    assert held["paused_at"]
    handle = door.world.client.get_schedule_handle(before["schedule_id"])
    assert (await handle.describe()).schedule.state.paused
    again = (await door.http.post(f"{path}/pause")).json()
    assert again == held, "held once, for the reason that it had"
    changed = (await door.http.put(path, json={"name": "Olds"})).json()
    assert changed["status"] == "PAUSED" and (await handle.describe()).schedule.state.paused, (
        "a change does not wake it"
    )
    listed = [(await got(door.http, f"{ALL}?status={s}"))["total_count"] for s in ("ACTIVE", "PAUSED", "ALL", "paused")]
    assert listed == [0, 1, 1, 1]
    on = (await door.http.post(f"{path}/resume", json={})).json()
    assert (on["status"], on["paused_at"], on["pause_reason"]) == ("ACTIVE", "", "")
    assert on["next_run_at"] == before["next_run_at"] and not (await handle.describe()).schedule.state.paused
    assert (await door.http.post(f"{path}/resume")).status_code == 200
    for body in (b'{"reason": 5}', b'{"why": "x"}', b"[", b"[]"):
        assert (await door.http.post(f"{path}/pause", content=body)).status_code == 400


async def test_what_was_done_in_temporal_by_hand_is_told(door: Gateway) -> None:
    kept, gone = [(await made(door.http))["schedule_id"] for _ in range(2)]
    await door.world.client.get_schedule_handle(kept).pause(note="by an operator")
    told = await got(door.http, f"{ALL}/{kept}")
    assert (told["status"], told["pause_reason"]) == ("PAUSED", "by an operator")
    await door.world.client.get_schedule_handle(gone).delete()
    listed = await got(door.http, ALL)
    assert [each["schedule_id"] for each in listed["schedules"]] == [kept] and listed["total_count"] == 1
    assert (await door.http.get(f"{ALL}/{gone}")).status_code == 404, "a young one may be about to be made"
    await grown_old(door, gone)
    listed = await got(door.http, ALL)
    assert {each["schedule_id"]: each["status"] for each in listed["schedules"]} == {kept: "PAUSED", gone: "DELETED"}
    assert listed["total_count"] == 2
    assert [(await got(door.http, f"{ALL}?status={s}"))["total_count"] for s in ("ACTIVE", "PAUSED")] == [0, 1]
    told = await got(door.http, f"{ALL}/{gone}")
    assert (told["status"], told["next_run_at"]) == ("DELETED", "")
    for method, what in (("PUT", ""), ("POST", "/pause"), ("POST", "/resume")):
        answer = await door.http.request(method, f"{ALL}/{gone}{what}", json={})
        assert answer.status_code == 409 and "Temporal does not have" in answer.json()["error"], (method, what)
    assert (await got(door.http, f"{ALL}/{gone}/runs"))["total_count"] == 0
    assert (await door.http.delete(f"{ALL}/{gone}")).status_code == 204
    assert (await got(door.http, ALL))["total_count"] == 1


async def grown_old(door: Gateway, schedule_id: str) -> None:
    """Makes a schedule of an hour ago out of one that is kept."""
    record = await door.archive.schedules.get(schedule_id)
    assert record is not None
    await door.archive.schedules.withdraw(schedule_id)
    long_ago = record.model_copy(update={"created_at": record.created_at - timedelta(hours=1)})
    assert await door.archive.schedules.add(long_ago, 99)


async def test_a_gateway_at_another_temporal_loses_no_schedule(door: Gateway) -> None:
    before = await made(door.http)
    await grown_old(door, before["schedule_id"])
    path = f"{ALL}/{before['schedule_id']}"
    async with (
        dev_server() as other,
        listening(replace(door.backend, temporal=other.client)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        assert (await got(http, ALL))["schedules"][0]["status"] == (await got(http, path))["status"] == "DELETED"
    assert (await got(door.http, path))["status"] == "ACTIVE", "it runs, and is told so again"


async def test_a_deleted_schedule_is_gone_and_runs_no_more(door: Gateway) -> None:
    schedule_id = (await made(door.http))["schedule_id"]
    path = f"{ALL}/{schedule_id}"
    assert [(await door.http.delete(path)).status_code for _ in range(2)] == [204, 204]
    for method, what in (("GET", ""), ("PUT", ""), ("GET", "/runs"), ("POST", "/pause"), ("POST", "/resume")):
        answer = await door.http.request(method, path + what, json={})
        assert (answer.status_code, answer.json()) == (404, {"error": "Schedule not found"}), (method, what)
    assert (await got(door.http, ALL))["schedules"] == []
    with pytest.raises(Exception, match=r"not found|completed"):
        await door.world.client.get_schedule_handle(schedule_id).describe()


async def test_lists_come_in_pages_the_newest_first(door: Gateway) -> None:
    ids = [(await made(door.http, name=f"n{n}"))["schedule_id"] for n in range(3)]
    first = await got(door.http, f"{ALL}?page_size=2")
    assert [each["schedule_id"] for each in first["schedules"]] == [ids[2], ids[1]]
    assert (first["total_count"], first["page"], first["page_size"]) == (3, 1, 2)
    second = await got(door.http, f"{ALL}?page_size=2&page=2")
    assert [each["schedule_id"] for each in second["schedules"]] == [ids[0]] and second["page"] == 2


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page_size=0", "page_size=101", "status=DELETED", "page=10000000"]
)
async def test_what_no_page_can_be_is_refused(door: Gateway, query: str) -> None:
    answer = await door.http.get(f"{ALL}?{query}")
    assert answer.status_code == 400 and set(answer.json()) == {"error"}


async def test_a_user_has_so_many_schedules_also_when_many_are_made_at_once(door: Gateway) -> None:
    async with with_settings(door, schedules_per_user=3) as http:
        await _no_more_than_three(http)


async def _no_more_than_three(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.post(ALL, json=DAILY) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 3
    assert "3 schedules" in next(answer for answer in answers if answer.status_code == 429).json()["error"]
    listed = (await got(http, ALL))["schedules"]
    assert len(listed) == 3
    await http.delete(f"{ALL}/{listed[0]['schedule_id']}")
    await made(http)


@asynccontextmanager
async def with_settings(door: Gateway, **keys: Any) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway with other settings in front of the same world."""
    settings = door.world.settings.model_copy(update=keys)
    async with (
        listening(replace(door.backend, settings=settings)) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield http


async def test_how_often_and_how_dear_are_settings(door: Gateway) -> None:
    async with with_settings(door, schedule_min_interval=timedelta(minutes=5), schedule_max_budget_usd=0.25) as http:
        told = await made(http, cron_expression="*/5 * * * *")
        assert told["max_budget_per_run_usd"] == 0.25, "the usual budget would be above it"
        for keys, words in (
            ({"cron_expression": "*/4 * * * *"}, "at least 5 minutes"),
            ({"max_budget_per_run_usd": 0.26}, "limit of $0.25"),
        ):
            answer = await http.post(ALL, json={**DAILY, **keys})
            assert answer.status_code == 400 and words in answer.json()["error"]


async def test_the_document_says_what_bodies_there_are(door: Gateway) -> None:
    told = await got(door.http, "/openapi.json")
    body = told["paths"][ALL]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"name", "cron_expression", "task_query"} == set(body["required"])
    assert "$defs" not in (await door.http.get("/openapi.json")).text


async def test_schedules_of_others_are_not_there(door: Gateway) -> None:
    async with people(door, "acme/ann", "acme/bob", "evil/ann", "acme/root!", "evil/root!") as everybody:
        ann, bob, foreign, root, foreign_root = everybody
        path = f"{ALL}/{(await made(ann))['schedule_id']}"
        asked = (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/runs"), ("POST", "/pause"), ("POST", "/resume"))
        for other in (bob, foreign, foreign_root):
            for method, what in asked:
                answer = await other.request(method, path + what, json={})
                assert (answer.status_code, answer.json()) == (404, {"error": "Schedule not found"}), (method, what)
            assert (await got(other, ALL))["schedules"] == []
        assert (await got(ann, path))["status"] == "ACTIVE"
        assert (await root.post(f"{path}/pause")).status_code == 200, "who runs the tenant may"
        assert (await got(ann, path))["status"] == "PAUSED"
        for other in (bob, foreign):
            await made(other)
    async with people(door, "nobody") as (nobody,):
        for method, what in asked:
            assert (await nobody.request(method, path + what, json={})).status_code == 401
        assert (await nobody.get(ALL)).status_code == (await nobody.post(ALL, json=DAILY)).status_code == 401


@pytest.mark.parametrize("schedule_id", ["nowhere", "schedule-1", "a%27%20OR%201=1", "x" * 129])
async def test_an_unknown_schedule_is_not_found(door: Gateway, schedule_id: str) -> None:
    answer = await door.http.get(f"{ALL}/{schedule_id}")
    assert answer.status_code in (400, 404) and set(answer.json()) == {"error"}


async def test_while_temporal_is_away_nothing_is_made_and_it_is_said(door: Gateway) -> None:
    kept = await made(door.http)
    async with dev_server() as other:
        address = other.client.service_client.config.target_host
        nowhere = await Client.connect(address, retry_config=RetryConfig(max_retries=1), data_converter=DATA_CONVERTER)
    path = f"{ALL}/{kept['schedule_id']}"
    async with listening(replace(door.backend, temporal=nowhere)) as url, httpx.AsyncClient(base_url=url) as http:
        asked = [http.get(ALL), http.get(path), http.put(path, json={"name": "x"}), http.delete(path)]
        asked += [http.post(f"{path}/pause"), http.get(f"{path}/runs"), http.post(ALL, json=DAILY)]
        for answer in await asyncio.gather(*asked):
            assert answer.status_code in (502, 503) and "Temporal" in answer.json()["error"], answer.text
        assert (await http.get("/api/v1/tasks")).status_code == 200, "the tasks that are known are told"
    assert (await got(door.http, ALL))["schedules"] == [kept]


@pytest.mark.parametrize("fault", ["the database", "Temporal", "its answer"])
async def test_what_is_shown_of_a_schedule_is_what_runs_whatever_fails(door: Gateway, fault: str) -> None:
    before = await made(door.http)
    path = f"{ALL}/{before['schedule_id']}"
    backend = {
        "the database": replace(door.backend, archive=cast(Archive, Undefining(door.archive))),
        "Temporal": replace(door.backend, temporal=cast(Client, Losing(door.world.client, is_done=False))),
        "its answer": replace(door.backend, temporal=cast(Client, Losing(door.world.client, is_done=True))),
    }[fault]
    async with listening(backend) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.put(path, json={"cron_expression": "30 6 * * *", "name": "Olds"})
    told = await got(door.http, path)
    seen = await door.world.client.get_schedule_handle(before["schedule_id"]).describe()
    assert datetime.fromisoformat(told["next_run_at"]) == seen.info.next_action_times[0]
    is_done = fault == "its answer"
    assert answer.status_code == (200 if is_done else 503), answer.text
    assert told["cron_expression"] == ("30 6 * * *" if is_done else before["cron_expression"])
    assert is_done or told == before


@dataclass
class Undefining:
    """An archive that is away when the definition of a schedule is to be kept."""

    real: Any

    def __getattr__(self, name: str) -> Any:
        return Undefining(self.real.schedules) if name == "schedules" else getattr(self.real, name)

    async def define(self, *_: object) -> None:
        raise ArchiveDownError("away")


@dataclass
class Losing:
    """A Temporal that loses its answer to a change of a schedule, or the change itself."""

    real: Any
    is_done: bool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def get_schedule_handle(self, schedule_id: str) -> Any:
        handle = self.real.get_schedule_handle(schedule_id)
        usual = handle.update

        async def update(updater: Any) -> None:
            if self.is_done:
                await usual(updater)
            else:
                updater(ScheduleUpdateInput(description=await handle.describe()))
            raise RPCError("timed out", RPCStatusCode.DEADLINE_EXCEEDED, b"")

        handle.update = update
        return handle
