"""A person does with the page what they would do with curl: start a task, watch it, hold it, approve it, end it."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.browsing import installed
from tests.support.gateway import Gateway
from tests.support.teams import does, plans, subtask, synthesis

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
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_label("Answer of the task")).to_contain_text("so it is", timeout=20_000)
    await expect(page.get_by_text("Approve this?")).to_be_hidden()


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
    for name in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "index.html", "nothing.js", "__init__.py"):
        assert (await door.http.get(f"/page/{name}")).status_code == 404
