"""A visit is kept between calls, ends when it is idle, is never acted on when it was left behind, and leaves no process."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from tests.support.browsing import Site, Surfer, installed, number_of, site
from tests.support.world import until
from theseus.activities.tools.browser import leash
from theseus.activities.tools.browser.visits import VisitLimits
from theseus.contracts.session import SessionKey
from theseus.stores.memory import MemoryBrowsers
from theseus.stores.ports import StoreDownError

PAGES = {
    "hangs": "<title>hangs</title><button onclick='for (;;) {}'>Hang</button>",
    "eats": """<button onclick="eat()">Eat</button><script>
        const all = []; const eat = () => setInterval(() => {
          const block = new Uint8Array(64 << 20); for (let i = 0; i < block.length; i += 512) block[i] = i % 251; all.push(block);
        }, 1);</script>""",
    "count": "<button onclick=\"fetch('/clicked', {method: 'POST'})\">Once</button>",
}
MARK = "--type=renderer"


@pytest_asyncio.fixture(scope="module")
async def shop() -> AsyncGenerator[Site]:
    async with site(**PAGES) as made:
        yield made


def browsers(top: int | None = None) -> list[int]:
    """The processes of browsers below a process, this one if absent; those that ended and wait to be noticed are none."""
    found: list[int] = []
    for process in leash.below(top or os.getpid()):
        with contextlib.suppress(OSError):
            if b"chrom" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


def alive(processes: list[int]) -> list[int]:
    found: list[int] = []
    for process in processes:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(process)
    return found


async def gone(processes: list[int], seconds: float) -> None:
    async def check() -> bool:
        return not alive(processes)

    await until(check, seconds)


async def test_nothing_runs_before_the_first_call_and_nothing_after_the_last(shop: Site, tmp_path: Path) -> None:
    before = set(browsers())
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        assert set(browsers()) == before
        await surfer.ok("navigate", url=f"{shop.url}/")
        own = [process for process in browsers() if process not in before]
        assert len(own) > 3
        others = [os.stat(f"/proc/{process}").st_uid for process in own if MARK.encode() in _command(process)]
        assert os.geteuid() != 0 or (others and 0 not in others), "pages do not run as root"
    assert alive(own) == []
    assert surfer.visits.open_visits == 0


def _command(process: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


async def test_no_process_of_the_browser_sees_the_keys_of_the_worker(
    shop: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-of-the-worker")
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/")
        seen = [p for p in browsers() if b"user-data-dir" in _command(p) and b"leash.py" not in _command(p)]
        assert seen
        for process in browsers():
            if b"leash.py" not in _command(process) and b"playwright" not in _command(process):
                assert b"sk-a-key" not in Path(f"/proc/{process}/environ").read_bytes()


async def test_an_idle_visit_is_closed_and_the_browser_with_the_last(shop: Site, tmp_path: Path) -> None:
    limits = VisitLimits(idle=timedelta(seconds=1.2))
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"], limits=limits) as surfer:
        shown = await surfer.ok("navigate", url=f"{shop.url}/")
        own = browsers()

        async def closed() -> bool:
            return surfer.visits.open_visits == 0 and not surfer.chromium.is_running

        await until(closed, 10)
        await gone(own, 5)
        text = await surfer.ok("extract")
        assert "Note: the browser was started anew" in text and "made by a script" in text
        assert number_of(await surfer.ok("elements"), "About us") > number_of(shown, "Order"), "no number twice"


async def test_one_too_many_makes_the_longest_idle_give_room(shop: Site, tmp_path: Path) -> None:
    limits = VisitLimits(most=2)
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"], limits=limits) as surfer:
        for task in ("one", "two", "three"):
            await surfer.ok("navigate", task=task, url=f"{shop.url}/")
        assert surfer.visits.open_visits == 2
        assert "started anew" not in await surfer.ok("extract", task="two")
        assert "started anew" in await surfer.ok("extract", task="one")
        waits = [asyncio.create_task(surfer("wait", task=task, seconds=2)) for task in ("one", "two")]
        await asyncio.sleep(1)
        outcome = await surfer("navigate", task="four", url=f"{shop.url}/")
        await asyncio.gather(*waits)
        assert outcome.is_error and "All 2 browsers of this worker are at work" in outcome.text


async def test_a_task_of_somebody_else_with_the_same_id_has_a_browser_of_its_own(shop: Site, tmp_path: Path) -> None:
    others = [SessionKey(session_id="s", user_id="eve"), SessionKey(session_id="s", user_id="ada", tenant_id="other")]
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/about")
        for other in others:
            outcome = await surfer("extract", user=other)
            assert outcome.is_error and outcome.text.startswith("No page is open")
        assert "Since 1912" in await surfer.ok("extract")


async def test_on_another_worker_the_page_is_opened_again_for_reading(shop: Site, tmp_path: Path) -> None:
    places, allow = MemoryBrowsers(), [f"127.0.0.1:{shop.port}"]
    async with Surfer(tmp_path, allow, places=places) as first, Surfer(tmp_path, allow, places=places) as second:
        await first.ok("navigate", url=f"{shop.url}/")
        await first.ok("click", name="About us")
        text = await second.ok("extract")
        assert "Since 1912" in text and "Note: the browser was started anew" in text


async def test_on_another_worker_nothing_is_clicked_on_a_page_that_was_opened_again(shop: Site, tmp_path: Path) -> None:
    places, allow = MemoryBrowsers(), [f"127.0.0.1:{shop.port}"]
    shop.requests.clear()
    async with Surfer(tmp_path, allow, places=places) as first, Surfer(tmp_path, allow, places=places) as second:
        shown = await first.ok("navigate", url=f"{shop.url}/count")
        outcome = await second("click", element=number_of(shown, "Once"))
        assert outcome.is_error and outcome.text.startswith("Nothing was done, but the page was opened again.")
        assert outcome.queue == "own-queue", "the next call finds it"
        assert "/clicked" not in shop.paths
        await second.ok("click", name="Once")
        assert shop.paths.count("/clicked") == 1
        await second.ok("navigate", url=f"{shop.url}/about")
        # the first worker's page was left behind: its visit must not be used
        late = await first("click", name="Once")
        assert late.is_error and "Title: About" in late.text
        assert shop.paths.count("/clicked") == 1


async def test_a_browser_that_died_is_started_again(shop: Site, tmp_path: Path) -> None:
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/about")
        # who drives the browser goes on
        own = [process for process in browsers() if b"run-driver" not in _command(process)]
        leashes = [process for process in own if b"leash.py" in _command(process)]
        for process in leashes:
            os.kill(process, signal.SIGKILL)
        await gone(own, 10)
        assert leashes
        text = await surfer.ok("extract")
        assert "Since 1912" in text and "started anew" in text


async def test_a_call_that_is_cancelled_ends_at_once_and_its_page_with_it(shop: Site, tmp_path: Path) -> None:
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/")
        call = asyncio.create_task(surfer("navigate", url=f"{shop.url}/slow"))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert time.monotonic() - began < 2
        assert surfer.visits.open_visits == 0
        assert "Welcome" in await surfer.ok("navigate", url=f"{shop.url}/"), "the next call works"


async def test_a_call_that_is_cancelled_while_the_browser_starts_leaves_no_process(shop: Site, tmp_path: Path) -> None:
    before = set(leash.below(os.getpid()))
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        for wait in (0.05, 0.3, 0.7):
            call = asyncio.create_task(surfer("navigate", url=f"{shop.url}/"))
            await asyncio.sleep(wait)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await surfer.chromium.stop()
            await gone([process for process in leash.below(os.getpid()) if process not in before], 5)


async def test_a_page_that_never_ends_is_shown_as_far_as_it_came(shop: Site, tmp_path: Path) -> None:
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"]) as surfer:
        began = time.monotonic()
        shown = await surfer.ok("navigate", url=f"{shop.url}/endless")
        assert "the first words" in shown and "had not loaded within" in shown
        assert time.monotonic() - began < 25


async def test_a_page_that_hangs_costs_one_call(shop: Site, tmp_path: Path) -> None:
    limits = VisitLimits(action=timedelta(seconds=6))
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"], limits=limits) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/hangs")
        began = time.monotonic()
        outcome = await surfer("click", name="Hang")
        assert outcome.is_error and time.monotonic() - began < 10
        assert "Welcome" in await surfer.ok("navigate", url=f"{shop.url}/")


async def test_a_page_that_eats_the_memory_ends_and_the_next_one_works(shop: Site, tmp_path: Path) -> None:
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"], memory_bytes=900 << 20) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/eats")
        await surfer("click", name="Eat")
        await asyncio.sleep(3)
        outcome = await surfer("extract")
        assert outcome.is_error or "started anew" in outcome.text
        assert "Welcome" in await surfer.ok("navigate", url=f"{shop.url}/")


class Away(MemoryBrowsers):
    is_away = False

    async def get(self, key: SessionKey, task_id: str, agent: str):
        if self.is_away:
            raise StoreDownError("away")
        return await super().get(key, task_id, agent)


async def test_without_the_store_nothing_is_done_on_a_page_that_may_be_old(shop: Site, tmp_path: Path) -> None:
    places = Away()
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}"], places=places) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/")
        places.is_away = True
        outcome = await surfer("click", name="Order")
        assert outcome.is_error and "cannot be read now. Try again" in outcome.text
        places.is_away = False
        assert "Title: The shop" in await surfer.ok("extract")


PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from tests.support.browsing import Surfer
async def main(url, folder, allow):
    surfer = Surfer(Path(folder), [allow])
    print(await surfer.ok("navigate", url=url), flush=True)
    print("ready", flush=True)
    await asyncio.sleep(60)
asyncio.run(main(*sys.argv[1:]))
"""


async def test_of_a_worker_that_is_killed_nothing_is_left(shop: Site, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, f"{shop.url}/", str(tmp_path), f"127.0.0.1:{shop.port}"),
        stdout=asyncio.subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])},
    )
    assert process.stdout is not None
    while (line := await process.stdout.readline()) and line != b"ready\n":
        pass
    own = leash.below(process.pid)
    assert len(own) > 5
    process.kill()
    await process.wait()
    await gone(own, 5)


STARTS = {
    "no sandbox": (
        "#!/bin/sh\necho 'No usable sandbox!' >&2\nexit 1\n",
        0o755,
        "cannot make its sandbox on this worker",
    ),
    "no right": ("#!/bin/sh\n", 0o700, "broken cannot be run as user"),
    "no program": ("\x7fELF?", 0o755, "broken cannot be run as user"),
    "no browser": ("#!/bin/sh\nexit 0\n", 0o755, "the browser does not start"),
}


@pytest.mark.parametrize("case", STARTS)
async def test_a_browser_that_does_not_start_is_said_with_its_reason(case: str, tmp_path: Path) -> None:
    text, mode, told = STARTS[case]
    if case == "no right" and os.geteuid() != 0:
        mode = 0o600
    installed()
    with TemporaryDirectory() as folder:
        program = Path(folder) / "broken"
        program.write_text(text)
        program.chmod(mode)
        Path(folder).chmod(0o755)
        async with Surfer(tmp_path, [], program=program) as surfer:
            outcome = await surfer("navigate", url="http://93.184.216.34/")
    assert outcome.is_error and told in outcome.text
    assert "Go on without the browser" in outcome.text and "Traceback" not in outcome.text
