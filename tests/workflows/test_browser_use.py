"""A task with the role browser_use has one browser and uses it step by step, tells no secret, or says that it has none."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.browsing import Site, installed, site
from tests.support.world import World, history, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.task import TaskStatus
from theseus.roles.browser_use import BROWSER_USE

SECRET = "correct-horse"
COUNTER = "<p id=out>0 times</p><script>let n = 0</script><button onclick=\"out.textContent = ++n + ' times'\">Once more</button>"


@pytest_asyncio.fixture(scope="module")
async def shop() -> AsyncGenerator[Site]:
    async with site(counter=COUNTER) as made:
        yield made


@pytest_asyncio.fixture
async def surfing(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, shop: Site
) -> AsyncGenerator[World]:
    """A world whose workers have a browser that may reach the shop; the test starts them."""
    settings: dict[str, Any] = {"browser": installed(), "fetch_allow": (f"127.0.0.1:{shop.port}",)}
    async with world(temporal.client, model, tmp_path, work=False, **settings) as made:
        yield made


def calls(*replies: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """A model that makes these calls, reply by reply, and then says what it is done with."""
    rules: list[dict[str, Any]] = [
        {
            "when": {"turn": turn},
            "reply": {"tool_calls": [{"name": f"browser_{name}", "arguments": given} for name, given in made]},
        }
        for turn, made in enumerate(replies)
    ]
    return {"rules": [*rules, {"reply": {"text": "done"}}]}


def observed(model: ScriptedModel) -> list[str]:
    """What the model was told of its calls."""
    return [message["content"] for message in model.requests[-1].body["messages"] if message["role"] == "tool"]


ORDER = calls(
    [("navigate", {"url": "SHOP/"})],
    # in one reply: made one after another, in this order
    [
        ("type", {"name": "Your name", "text": "Ada"}),
        ("type", {"name": "Password", "text": SECRET}),
        ("type", {"name": "Country", "text": "Greece"}),
        ("click", {"name": "Order"}),
        ("screenshot", {}),
    ],
)


async def test_a_form_is_filled_in_and_sent_in_the_order_of_the_calls(surfing: World, shop: Site) -> None:
    shop.requests.clear()
    async with surfing.worker():
        surfing.model.replace(json.loads(json.dumps(ORDER).replace("SHOP", shop.url)))
        handle = await surfing.start("order it", context={"role": "browser_use"})
        result = await surfing.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "done"), observed(surfing.model)
    assert [body for path, body in shop.requests if path == "/order"] == [f"who=Ada&secret={SECRET}&country=Greece"]
    told = observed(surfing.model)
    assert '"who": "Ada"' in told[-2]
    path = told[-1].partition("Saved as ")[2].partition(":")[0]
    assert (await asyncio.to_thread(lambda: list(surfing.settings.workspaces.rglob(path))))[0].read_bytes()[
        1:4
    ] == b"PNG"
    offered = {tool["function"]["name"] for tool in surfing.model.requests[0].body["tools"]}
    assert offered == set(BROWSER_USE.tools) - {"web_search"}


async def test_what_is_typed_is_in_no_event_and_no_summary(surfing: World, shop: Site) -> None:
    async with surfing.worker():
        surfing.model.replace(json.loads(json.dumps(ORDER).replace("SHOP", shop.url)))
        handle = await surfing.start("order it", context={"role": "browser_use"})
        await surfing.result(handle)
    events = await surfing.events(handle.id)
    assert SECRET not in "".join(event.event.model_dump_json() for event in events)
    assert "[13 characters]" in "".join(event.event.model_dump_json() for event in events)
    summaries = [event.user_metadata.summary.data.decode() for event in await history(handle)]
    assert SECRET not in "".join(summaries) and any("browser_type" in summary for summary in summaries)


async def test_after_a_call_that_failed_the_rest_of_the_reply_is_not_made(surfing: World, shop: Site) -> None:
    shop.requests.clear()
    async with surfing.worker():
        surfing.model.replace(
            calls(
                [("navigate", {"url": f"{shop.url}/"})],
                [("type", {"name": "No such field", "text": "x"}), ("click", {"name": "Order"})],
            )
        )
        await surfing.run("order it", context={"role": "browser_use"})
    assert observed(surfing.model)[-1] == "Not run: the call before it on the browser failed."
    assert "/order" not in shop.paths


async def another(there: World) -> World:
    """The same world for another worker, which has a connection of its own."""
    target = there.client.service_client.config.target_host
    client = await Client.connect(target, namespace=there.client.namespace, data_converter=there.client.data_converter)
    return replace(there, client=client)


async def test_all_calls_of_an_agent_come_to_the_worker_that_has_its_page(surfing: World, shop: Site) -> None:
    clicks = [[("click", {"name": "Once more"})] for _ in range(6)]
    second, third = await another(surfing), await another(surfing)
    async with surfing.worker(), second.worker(), third.worker():
        surfing.model.replace(calls([("navigate", {"url": f"{shop.url}/counter"})], *clicks))
        result = await surfing.run("click it", context={"role": "browser_use"})
    told = observed(surfing.model)
    assert result.status is TaskStatus.COMPLETED and len(told) == 7
    assert [n for n in range(7) if f"{n} times" in told[n]] == list(range(7)), "and the same click six times is no loop"
    assert not [text for text in told if "started anew" in text or "Nothing was done" in text]


async def test_when_that_worker_is_gone_another_opens_the_page_and_says_so(surfing: World, shop: Site) -> None:
    surfing.model.replace(
        calls(
            [("navigate", {"url": f"{shop.url}/tardy"})],
            [("click", {"name": "About us"})],
            [("click", {"name": "about us"})],
            [("extract", {})],
        )
    )
    first, second = surfing.worker(), (await another(surfing)).worker()
    await first.__aenter__()
    handle = await surfing.start("click it", context={"role": "browser_use"})

    async def is_opening() -> bool:
        return "/tardy" in shop.paths

    async def has_opened() -> bool:
        return any(event.event.type == "TOOL_OBSERVATION" for event in await surfing.events(handle.id))

    await until(is_opening)
    await handle.signal("pause", {"reason": "deploy"})
    await until(has_opened)
    await first.__aexit__(None, None, None)
    async with second:
        await handle.signal("resume", {})
        result = await surfing.result(handle)
    told = observed(surfing.model)
    assert result.status is TaskStatus.COMPLETED
    assert sum("started anew" in text for text in told) == 1
    assert "Since 1912" in told[-1]


async def test_cancel_ends_a_page_that_is_being_opened(surfing: World, shop: Site) -> None:
    async with surfing.worker():
        surfing.model.replace(calls([("navigate", {"url": f"{shop.url}/slow"})]))
        handle = await surfing.start("open it", context={"role": "browser_use"})

        async def opening() -> bool:
            return "/slow" in shop.paths

        await until(opening)
        began = time.monotonic()
        await handle.signal("cancel", {"reason": "enough"})

        async def closed() -> bool:
            return (await handle.describe()).close_time is not None

        await until(closed)
        assert time.monotonic() - began < 3


async def test_a_task_without_a_browser_says_what_is_missing(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "I have no browser"}}]})
    result = await there.run("open it", context={"role": "browser_use"}, tools=["calculator"])
    assert result.status is TaskStatus.DEGRADED
    assert result.metadata.degraded[0].startswith(
        "role browser_use: there is no browser_navigate here: it needs workers"
    )
