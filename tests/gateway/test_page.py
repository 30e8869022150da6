"""A person does with the page what they would do with curl: start a task, watch it, hold it, approve it, end it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from temporalio.testing import WorkflowEnvironment

from tests.support.browsing import installed
from tests.support.gateway import Gateway, gateway
from tests.support.studies import outlines, question, scopes, writes
from tests.support.studies import plans as research_plan
from tests.support.teams import does, plans, subtask, synthesis
from tests.support.world import world
from theseus.activities.llm.scripted.server import ScriptedModel

WIDTHS = {"desk": (1200, 900), "phone": (375, 800)}


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(params=WIDTHS)
async def page(browser: Browser, door: Gateway, request: pytest.FixtureRequest) -> AsyncGenerator[Page]:
    """The page at one width; a script that fails fails the test."""
    width, height = WIDTHS[request.param]
    page = await browser.new_page(viewport={"width": width, "height": height})
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    await page.goto(f"{door.url}/")
    yield page
    await page.close()
    assert not broken


async def start(page: Page, query: str, mode: str = "simple") -> None:
    await page.get_by_label("What is to be done").fill(query)
    await page.get_by_label("Mode").select_option(mode)
    await page.get_by_role("button", name="Start").click()


async def fits(page: Page) -> bool:
    """Whether nothing stands out at the side."""
    return await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_a_task_is_started_watched_and_found_again(page: Page, door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "The capital is Paris. <b>Bold</b>"}}]})
    await start(page, "What is the capital of France?")
    await expect(page.get_by_role("status")).to_have_text("completed", timeout=20_000)
    await expect(page.get_by_label("Answer of the task")).to_have_text("The capital is Paris. <b>Bold</b>")
    await expect(page.locator("#facts")).to_contain_text("tokens")
    assert await fits(page)
    await page.get_by_role("link", name="All tasks").click()
    await expect(page.get_by_role("link", name="What is the capital of France?")).to_be_visible()
    assert await fits(page)


async def test_a_long_query_leaves_the_rest_in_sight(page: Page) -> None:
    await start(page, "Read this line. " * 600)
    await expect(page.get_by_role("status")).to_have_text("completed", timeout=20_000)
    await expect(page.get_by_role("button", name="Cancel")).to_be_in_viewport()
    await page.get_by_role("link", name="All tasks").click()
    line = await page.get_by_role("link", name="Read this line.").first.bounding_box()
    assert line and line["height"] < 120


REPORT = """# Rivers of Varn

The **Ourn** is `412` km long. [1]
Its name is <b>old</b>; see [the map](https://map.example/ourn) and [not this](javascript:alert(1)).

## Sources

1. Map of Varn. <https://map.example/varn>
   - sheet one
2. Gazetteer

| river | km |
|-------|----|
| Ourn  | 412 |

```
# no heading
```

> said _once_
"""


async def test_an_answer_is_shown_as_it_is_meant_to_be_read(page: Page, door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": REPORT}}]})
    await start(page, "What is known about the rivers of Varn?")
    await expect(page.get_by_role("status")).to_have_text("completed", timeout=20_000)
    answer = page.get_by_label("Answer of the task")
    await expect(answer.get_by_role("heading")).to_have_text(["Rivers of Varn", "Sources"])
    await expect(answer.locator("p").first).to_contain_text("The Ourn is 412 km long. [1]")
    await expect(answer.locator("p").first).to_contain_text("<b>old</b>")
    assert await answer.locator("strong, code, em").all_text_contents() == ["Ourn", "412", "once"]
    links = [await link.get_attribute("href") for link in await answer.get_by_role("link").all()]
    assert links == ["https://map.example/ourn", "https://map.example/varn"]
    assert await answer.locator("ol > li").count() == 2 and await answer.locator("ol ul > li").count() == 1
    assert await answer.locator("th, td").all_text_contents() == ["river", "km", "Ourn", "412"]
    await expect(answer.locator("pre")).to_have_text("# no heading")
    await expect(answer.locator("blockquote")).to_have_text("said once")
    assert await fits(page)


async def test_an_answer_that_something_is_missing_from_does_not_look_whole(page: Page, door: Gateway) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "as far as I know"}}]})
    await page.get_by_text("Context, as JSON").first.click()
    await page.locator("#context").fill('{"template": "there_is_none"}')
    await start(page, "Report on Varn")
    await expect(page.get_by_role("status")).to_have_text("completed (degraded)", timeout=20_000)
    answer = await page.get_by_label("Answer of the task").bounding_box()
    log = await page.get_by_label("Events of the task").bounding_box()
    assert answer and log and answer["y"] < log["y"]


async def test_a_task_is_held_goes_on_and_is_ended(page: Page, door: Gateway) -> None:
    call = {"name": "calculator", "arguments": {"expression": "1+1"}}
    door.world.model.replace({"rules": [{"reply": {"tool_calls": [call], "text": "on it"}, "latency": 0.5}]})
    await start(page, "Count for ever")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("status")).to_contain_text("paused", timeout=20_000)
    await expect(page.get_by_role("button", name="Pause")).to_be_disabled()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_role("status")).to_contain_text("running", timeout=20_000)
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("status")).to_have_text("cancelled", timeout=20_000)
    for told in ("pausing", "resumed", "cancelled"):
        await expect(page.get_by_label("Events of the task")).to_contain_text(told)


async def test_a_plan_waits_for_a_yes_on_the_page(page: Page, door: Gateway) -> None:
    door.world.model.replace(
        {"rules": [plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis("so it is")]}
    )
    await page.get_by_label("a person approves the plan").check()
    await start(page, "Two things", "standard")
    await expect(page.get_by_text("Approve this?")).to_be_visible(timeout=20_000)
    await expect(page.locator("#ask")).to_contain_text("the task asks for approval")
    yes, no = [await page.get_by_role("button", name=name).bounding_box() for name in ("Approve", "Deny")]
    assert yes and no and yes["y"] == no["y"]
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_label("Answer of the task")).to_contain_text("so it is", timeout=20_000)
    await expect(page.get_by_text("Approve this?")).to_be_hidden()


async def test_what_two_agents_ask_at_once_is_answered_one_by_one(
    browser: Browser, temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    def writes_file(name: str) -> dict[str, object]:
        call = {"name": "file_write", "arguments": {"path": f"{name}.txt", "content": "hello"}}
        return {"when": {"last_user": f"^do {name}", "turn": 0}, "reply": {"tool_calls": [call]}}

    parts = [subtask(name, role="developer") for name in "ab"]
    rules = [plans(*parts), *map(writes_file, "ab"), synthesis("both written"), {"reply": {"text": "done"}}]
    model.replace({"rules": rules})
    async with (
        world(temporal.client, model, tmp_path, approval_tools=("file_write",)) as there,
        gateway(there, tmp_path) as made,
    ):
        page = await browser.new_page()
        await page.goto(f"{made.url}/")
        await start(page, "Two files", "standard")
        asked = page.get_by_text("Approve this?")
        await expect(asked).to_have_count(2, timeout=20_000)
        await expect(page.locator("#ask")).to_contain_text('"content": "hello"')
        await page.get_by_label("Why (optional)").nth(1).fill("half a sentence")
        await page.get_by_role("button", name="Approve").first.click()
        await expect(asked).to_have_count(1)
        await expect(page.get_by_label("Why (optional)")).to_have_value("half a sentence")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_label("Answer of the task")).to_contain_text("both written", timeout=20_000)
        await page.close()


async def test_a_research_plan_is_changed_and_approved_on_the_page(page: Page, door: Gateway) -> None:
    writer = {**writes("## Nothing\n"), "latency": 4}
    rules = [scopes("bridge"), research_plan(question("bridge", "length")), outlines(), writer]
    door.world.model.replace({"rules": rules})
    await page.get_by_label("review the research plan").check()
    await start(page, "What of Varn?", "research")
    await expect(page.get_by_text("Review the research plan (version 1)")).to_be_visible(timeout=20_000)
    await expect(page.get_by_text("ask about bridge")).to_be_visible()
    await expect(page.locator("#ask")).to_contain_text("length of bridge")
    await expect(page.locator("#ask")).to_contain_text("Without an answer by")
    await page.get_by_role("button", name="Plan again").click()
    await expect(page.get_by_role("alert")).to_contain_text("say what to change")
    await page.get_by_label("What should be different").fill("ask the mayor")
    await page.get_by_role("button", name="Plan again").click()
    await expect(page.get_by_text("Review the research plan (version 2)")).to_be_visible(timeout=20_000)
    assert await fits(page)
    await page.get_by_role("button", name="Approve").click()
    review = page.get_by_role("heading", name="Review the research plan")
    await expect(review).to_be_hidden()
    async with page.expect_response("**/review"):
        await page.reload()
    await expect(page.get_by_label("Events of the task")).to_contain_text("research plan approved", timeout=20_000)
    await page.wait_for_timeout(500)
    assert await review.count() == 0


async def test_an_address_that_names_nothing_is_said(page: Page, door: Gateway) -> None:
    await page.goto(f"{door.url}/#%E0%A4%A")
    await expect(page.get_by_role("alert")).not_to_be_empty()


async def test_what_is_refused_is_said(page: Page) -> None:
    await page.get_by_text("Context, as JSON").first.click()
    await page.get_by_label("Context, as JSON").fill("{nonsense")
    await start(page, "x")
    await expect(page.get_by_role("alert")).to_contain_text("the context is no JSON")
    await page.get_by_label("Context, as JSON").fill('{"role": "astronaut"}')
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("alert")).to_contain_text("astronaut")


async def test_the_page_says_nothing_and_loads_nothing_from_elsewhere(door: Gateway) -> None:
    answer = await door.http.get("/")
    assert answer.status_code == 200 and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for name in ("main.js", "style.css", "api.js", "show.js", "task.js", "asking.js"):
        assert (await door.http.get(f"/page/{name}")).status_code == 200
    for name in (
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "index.html",
        "nothing.js",
        "__init__.py",
        "%00.js",
        "a" * 999 + ".js",
    ):
        assert (await door.http.get(f"/page/{name}")).status_code == 404
