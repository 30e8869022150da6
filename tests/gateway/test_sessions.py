"""A session is what its user sees of it: its turns, its events, its title, until it is deleted; for others there is none."""

from typing import Any

import httpx
import pytest

from tests.support.gateway import Gateway, people
from tests.support.postgres import on_both
from tests.support.world import until

ONE = "/api/v1/sessions/s-1"
ECHO = {"rules": [{"reply": {"text": "answer {{turn}}"}}]}


async def asked(http: httpx.AsyncClient, query: str, session_id: str = "s-1", **keys: Any) -> str:
    """A task that has ended."""
    body = {"query": query, "mode": "simple", "session_id": session_id, **keys}
    answer = await http.post("/api/v1/tasks", json=body)
    assert answer.status_code == 200, answer.text
    task_id = str(answer.json()["task_id"])

    async def ended() -> bool:
        return bool((await http.get(f"/api/v1/tasks/{task_id}")).json()["status"] != "TASK_STATUS_RUNNING")

    await until(ended)
    return task_id


async def got(http: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@on_both
async def test_a_session_sums_up_its_tasks(door: Gateway) -> None:
    first = await asked(door.http, "one")
    door.world.model.replace({"rules": [{"reply": {"text": "no"}, "fault": {"status": 400}}]})
    second = await asked(door.http, "two")
    told = await got(door.http, ONE)
    assert (told["session_id"], told["user_id"], told["title"]) == ("s-1", "dev", "")
    assert (told["task_count"], told["successful_tasks"], told["failed_tasks"]) == (2, 1, 1)
    assert told["success_rate"] == 0.5 and told["first_task_mode"] == "simple" and not told["is_research_session"]
    assert (told["latest_task_id"], told["latest_task_query"], told["latest_task_status"]) == (second, "two", "FAILED")
    assert told["message_count"] == 2, "only the first task has answered"
    spent = (await got(door.http, f"/api/v1/tasks/{first}"))["usage"]
    assert told["tokens_used"] >= spent["total_tokens"] > 0
    assert told["cost_usd"] == told["total_cost_usd"] == 2 * told["average_cost_per_task"]
    assert told["created_at"] < told["updated_at"] == told["last_activity_at"] < told["expires_at"]
    assert told["is_active"] and None not in told.values()


async def test_sessions_are_listed_by_their_last_use_in_pages(door: Gateway) -> None:
    for session_id in ("a", "b", "a"):
        await asked(door.http, f"to {session_id}", session_id)
    told = await got(door.http, "/api/v1/sessions")
    assert [each["session_id"] for each in told["sessions"]] == ["a", "b"] and told["total_count"] == 2
    assert [each["task_count"] for each in told["sessions"]] == [2, 1]
    page = await got(door.http, "/api/v1/sessions?limit=1&offset=1")
    assert [each["session_id"] for each in page["sessions"]] == ["b"] and page["total_count"] == 2
    assert (await got(door.http, "/api/v1/sessions?offset=9"))["sessions"] == []


async def test_the_history_has_every_turn_with_its_answer(door: Gateway) -> None:
    door.world.model.replace(ECHO)
    ids = [await asked(door.http, query) for query in ("one", "two")]
    told = await got(door.http, f"{ONE}/history")
    assert [each["task_id"] for each in told["tasks"]] == ids and told["total_count"] == 2
    last = told["tasks"][1]
    assert (last["query"], last["status"], last["mode"]) == ("two", "COMPLETED", "simple")
    assert last["result"].startswith("answer") and last["total_tokens"] > 0
    assert last["started_at"] < last["completed_at"]
    page = await got(door.http, f"{ONE}/history?limit=1&offset=1")
    assert [each["task_id"] for each in page["tasks"]] == ids[1:]


@on_both
async def test_events_come_by_turn_without_pieces_of_text(door: Gateway) -> None:
    door.world.model.replace(ECHO)
    ids = [await asked(door.http, query) for query in ("one", "two", "three")]
    told = await got(door.http, f"{ONE}/events")
    assert [(each["turn"], each["task_id"], each["user_query"]) for each in told["turns"]] == [
        *((1, ids[0], "one"), (2, ids[1], "two"), (3, ids[2], "three"))
    ]
    assert told["count"] == 3
    turn = told["turns"][1]
    types = [event["type"] for event in turn["events"]]
    assert types[0] == "WORKFLOW_STARTED" and types[-1] == "STREAM_END" and "LLM_PARTIAL" not in types
    assert turn["final_output"].startswith("answer") and all(event["timestamp"] for event in turn["events"])
    assert turn["metadata"]["tokens_used"] > 0 and turn["metadata"]["execution_time_ms"] >= 0
    page = await got(door.http, f"{ONE}/events?limit=1&offset=2")
    assert [(each["turn"], each["task_id"]) for each in page["turns"]] == [(3, ids[2])] and page["count"] == 3


async def test_a_turn_under_way_is_told_with_what_it_has_told(door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "never ends"}, "fault": {"hang_after": 3}}]})
    body = {"query": "hang", "mode": "simple", "session_id": "s-1"}
    task_id = (await door.http.post("/api/v1/tasks", json=body)).json()["task_id"]

    async def tells() -> bool:
        turn = (await got(door.http, f"{ONE}/events"))["turns"][0]
        return turn["status"] == "RUNNING" and "WORKFLOW_STARTED" in [event["type"] for event in turn["events"]]

    await until(tells)
    assert (await got(door.http, f"{ONE}/history"))["tasks"][0]["status"] == "RUNNING"
    assert (await got(door.http, ONE))["latest_task_status"] == "RUNNING"
    await door.http.post(f"/api/v1/tasks/{task_id}/cancel")


async def test_a_session_gets_a_title_without_what_no_screen_shows(door: Gateway) -> None:
    await asked(door.http, "one")
    answer = await door.http.patch(ONE, json={"title": "  Tri\u0007p\n to Oslo "})
    assert (answer.status_code, answer.json()) == (200, {"session_id": "s-1", "title": "Trip to Oslo"})
    assert (await got(door.http, ONE))["title"] == "Trip to Oslo"
    await asked(door.http, "two")
    assert (await got(door.http, "/api/v1/sessions"))["sessions"][0]["title"] == "Trip to Oslo", (
        "tasks leave it as it is"
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "title: is required"),
        (b"{}", "title: is required"),
        (b'{"title": null}', "title: is required"),
        (b'{"title": " \\u0000 "}', "title: holds characters"),
        (b'{"title": "\\ud800"}', "title: holds characters"),
        (b'{"title": " \\n "}', "1 to 60"),
        (b'{"title": "' + b"x" * 61 + b'"}', "1 to 60"),
        (b'{"title": 5}', "title"),
        (b'{"title": "x", "name": "y"}', "name: unknown key"),
        (b'["title"]', "one JSON object"),
        (b'{"title": ', "Invalid request body"),
        (b"\xff\xfe", "Invalid request body"),
    ],
)
async def test_a_bad_title_is_refused_and_changes_nothing(door: Gateway, body: bytes, words: str) -> None:
    await asked(door.http, "one")
    answer = await door.http.patch(ONE, content=body)
    assert answer.status_code == 400 and words in answer.json()["error"], answer.text
    assert (await got(door.http, ONE))["title"] == ""


async def test_a_deleted_session_is_gone_and_its_tasks_remain(door: Gateway) -> None:
    task_id = await asked(door.http, "one")
    assert [(await door.http.delete(ONE)).status_code for _ in range(2)] == [204, 204], "once more, it does nothing"
    for path in (ONE, f"{ONE}/history", f"{ONE}/events", f"{ONE}/files"):
        answer = await door.http.get(path)
        assert (answer.status_code, answer.json()) == (404, {"error": "Session not found"}), path
    assert (await door.http.patch(ONE, json={"title": "x"})).status_code == 404
    assert (await got(door.http, "/api/v1/sessions")) == {"sessions": [], "total_count": 0}
    assert (await got(door.http, f"/api/v1/tasks/{task_id}"))["status"] == "TASK_STATUS_COMPLETED"
    assert (await got(door.http, "/api/v1/tasks?session_id=s-1"))["total_count"] == 1
    late = await door.http.post("/api/v1/tasks", json={"query": "two", "session_id": "s-1"})
    assert late.status_code == 404 and "deleted" in late.json()["error"]
    assert (await got(door.http, "/api/v1/tasks"))["total_count"] == 1, "what was refused left nothing"


@pytest.mark.parametrize("path", ["", "/history", "/events", "/files", "/files/x.txt"])
async def test_an_unknown_session_is_not_found(door: Gateway, path: str) -> None:
    answer = await door.http.get(f"/api/v1/sessions/nowhere{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Session not found"})


async def test_an_unknown_session_is_neither_renamed_nor_deleted(door: Gateway) -> None:
    assert (await door.http.patch("/api/v1/sessions/nowhere", json={"title": "x"})).status_code == 404
    assert (await door.http.delete("/api/v1/sessions/nowhere")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/sessions?limit=0",
        "/api/v1/sessions?limit=101",
        "/api/v1/sessions?limit=x",
        "/api/v1/sessions?offset=-1",
        f"/api/v1/sessions/{'x' * 129}",
        "/api/v1/sessions/a%20b",
        f"{ONE}/history?limit=501",
        f"{ONE}/events?limit=101",
    ],
)
async def test_what_no_page_or_id_can_be_is_refused(door: Gateway, path: str) -> None:
    answer = await door.http.get(path)
    assert answer.status_code == 400 and set(answer.json()) == {"error"}


async def test_the_same_id_is_another_session_for_another_user(door: Gateway) -> None:
    async with people(door, "acme/ann", "acme/bob", "evil/ann", "acme/root!") as (ann, bob, foreign, root):
        await asked(ann, "secret")
        for other in (bob, foreign, root):
            for path in (ONE, f"{ONE}/history", f"{ONE}/events", f"{ONE}/files"):
                assert (await other.get(path)).status_code == 404, path
            assert (await other.patch(ONE, json={"title": "x"})).status_code == 404
            assert (await other.delete(ONE)).status_code == 404
            assert (await got(other, "/api/v1/sessions"))["sessions"] == []
        await asked(bob, "mine")
        told = [(await got(http, f"{ONE}/history"))["tasks"][0]["query"] for http in (ann, bob)]
        assert told == ["secret", "mine"]
        assert (await bob.delete(ONE)).status_code == 204
        assert (await got(ann, ONE))["title"] == ""


async def test_nobody_without_a_key_reaches_a_session(door: Gateway) -> None:
    async with people(door, "nobody") as (nobody,):
        for method, path in (
            ("GET", ""),
            ("GET", "/s"),
            ("GET", "/s/history"),
            ("GET", "/s/events"),
            ("GET", "/s/files"),
        ):
            assert (await nobody.request(method, f"/api/v1/sessions{path}")).status_code == 401
        assert (await nobody.patch("/api/v1/sessions/s", json={"title": "x"})).status_code == 401
        assert (await nobody.delete("/api/v1/sessions/s")).status_code == 401
