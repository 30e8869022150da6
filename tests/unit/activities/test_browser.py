"""An agent reads and uses a website as a person would: it sees the page after each call, and acts by number or by words."""

import struct
import zlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.browsing import ADA, Site, Surfer, number_of, site
from theseus.activities.tools.browser.tools import browser_tools
from theseus.activities.tools.browser.view import BRIEF_CHARS, DATA_NOTE, SHOWN, TEXT_CHARS
from theseus.contracts.tools import Effect

PAGES = {
    "long": "<title>Long</title>" + "".join(f"<p>sentence {n} of the page</p>" for n in range(1000)),
    "many": "".join(f"<button>choice {n}</button>" for n in range(200)),
    "frames": "<iframe src=/about></iframe><iframe src=/about style='display:none'></iframe>",
    "shadow": "<div id=h></div><script>h.attachShadow({mode: 'open'}).innerHTML = '<p>deep words</p><button>Deep</button>'</script>",
    "late": "<script>setTimeout(() => { document.body.innerHTML = '<p>at last</p>' }, 1500)</script><p>wait</p>",
    "talks": "<script>alert('Are you there?')</script><button onclick=\"out.textContent = confirm('Sure?')\">Ask</button><p id=out></p>",
    "covered": "<button>Under</button><div id=veil style='position:fixed;inset:0;background:#0008'></div>",
    "tall": "<div style='height:30000px'>tall</div>",
    "grows": """<div id=all></div><script>
        const more = () => { for (let i = 0; i < 20; i++) all.append(Object.assign(document.createElement("p"), {textContent: "row"})) };
        more(); more(); addEventListener("scroll", () => { all.append("grown"); });</script>""",
    "boxes": """<style>.x input {position:absolute; opacity:0; width:0; height:0}</style>
        <label class=x><input type=checkbox onchange="out.textContent='ticked'">I agree</label><p id=out></p>
        <input type=file aria-label=Upload><input aria-label=Off disabled><div role=textbox contenteditable=true aria-label=Rich></div>""",
    "moves": "<button onclick=\"setTimeout(() => location = '/about', 400)\">Go later</button>",
    "twice": "<button>Save</button><button>Save</button><button>Save all</button>",
}


@pytest_asyncio.fixture(scope="module")
async def shop() -> AsyncGenerator[Site]:
    async with site(**PAGES) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def surfer(shop: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Surfer]:
    async with Surfer(tmp_path_factory.mktemp("surfer"), [f"127.0.0.1:{shop.port}"]) as made:
        yield made


async def test_a_page_is_shown_with_what_its_scripts_made_and_its_elements_by_number(
    shop: Site, surfer: Surfer
) -> None:
    shown = await surfer.ok("navigate", url=f"{shop.url}/")
    assert shown.startswith(f"{DATA_NOTE}\nURL: {shop.url}/\nTitle: The shop\n")
    assert "made by a script" in shown
    lines = [line.partition("] ")[2] for line in shown.splitlines() if line.startswith("[")][1:]
    assert lines == [
        'link "About us" -> /about',
        'link "In a new tab" -> /tab',
        'textbox "Your name"',
        'password "Password"',
        'list "Country" = "France" of: France | Greece',
        'checkbox "As a gift"',
        'button "Order"',
    ]


async def test_a_form_is_filled_and_sent_by_number_and_by_name(shop: Site, surfer: Surfer) -> None:
    shown = await surfer.ok("navigate", url=f"{shop.url}/")
    shown = await surfer.ok("type", element=number_of(shown, "Your name"), text="Ada")
    assert 'textbox "Your name" = "Ada"' in shown
    assert '= "Greece"' in await surfer.ok("type", name="country", text="Greece")
    assert '"As a gift" checked' in await surfer.ok("click", name="As a gift")
    shown = await surfer.ok("click", name="Order")
    assert "Title: Ordered" in shown
    assert shop.requests[-1] == ("/order", "who=Ada&secret=&country=Greece&gift=on")
    assert [path for path in shop.paths if path == "/order"] == ["/order"], "sent once"


async def test_enter_sends_a_form(shop: Site, surfer: Surfer) -> None:
    await surfer.ok("navigate", url=f"{shop.url}/")
    assert "Title: Ordered" in await surfer.ok("type", name="Your name", text="Grace", submit=True)


async def test_a_link_is_followed_and_the_way_back_is_found(shop: Site, surfer: Surfer) -> None:
    await surfer.ok("navigate", url=f"{shop.url}/")
    assert "Since 1912" in await surfer.ok("click", name="About us")
    assert "Title: The shop" in await surfer.ok("back")
    shown = await surfer.ok("click", name="In a new tab")
    assert f"URL: {shop.url}/tab" in shown and "it opened a new tab" in shown
    assert "Title: The shop" in await surfer.ok("back"), "the tab is closed"


async def test_a_page_that_goes_elsewhere_a_moment_later_is_seen_where_it_went(shop: Site, surfer: Surfer) -> None:
    await surfer.ok("navigate", url=f"{shop.url}/moves")
    await surfer.ok("click", name="Go later")
    assert "Since 1912" in await surfer.ok("wait", text="since 1912", seconds=5)


async def test_a_text_is_waited_for_and_its_absence_told(shop: Site, surfer: Surfer) -> None:
    await surfer.ok("navigate", url=f"{shop.url}/late")
    assert "at last" in await surfer.ok("wait", text="AT  last", seconds=10)
    shown = await surfer.ok("wait", text="never", seconds=1)
    assert "Note: 'never' did not appear within 1 s" in shown


async def test_a_long_text_is_given_in_parts_without_a_gap(shop: Site, surfer: Surfer) -> None:
    shown = await surfer.ok("navigate", url=f"{shop.url}/long")
    assert f"[Characters 0 to {BRIEF_CHARS} of " in shown
    text, offset = "", 0
    while True:
        part = await surfer.ok("extract", offset=offset)
        body, _, note = part.partition("Title: Long\n\n")[2].rpartition("\n[Characters ")
        assert len(body) <= TEXT_CHARS
        text += body
        if "its end" in note:
            break
        offset = int(note.partition("offset ")[2].rstrip("]"))
    assert text.split("\n\n") == [f"sentence {n} of the page" for n in range(1000)]


async def test_many_elements_are_listed_in_parts_and_found_by_words(shop: Site, surfer: Surfer) -> None:
    shown = await surfer.ok("navigate", url=f"{shop.url}/many")
    assert shown.count("button") == SHOWN and f"[{200 - SHOWN} more: browser_elements, after {SHOWN}" in shown
    assert '"choice 60"' in (await surfer.ok("elements", after=SHOWN)).partition("Elements:\n")[2].splitlines()[0]
    found = await surfer.ok("elements", contains="choice 17")
    assert [line.partition('"')[2] for line in found.splitlines() if "button" in line] == [
        'choice 17"',
    ], "what is named just so wins"
    assert found.count("button") == 1
    assert (await surfer.ok("elements", contains="choice 19")).count("button") == 1


async def test_an_element_keeps_its_number_and_no_number_is_given_twice(shop: Site, surfer: Surfer) -> None:
    first = await surfer.ok("navigate", url=f"{shop.url}/")
    number = number_of(first, "About us")
    assert number_of(await surfer.ok("elements"), "About us") == number
    later = await surfer.ok("navigate", url=f"{shop.url}/")
    assert number_of(later, "About us") > number_of(first, "Order")
    outcome = await surfer("click", element=number)
    assert outcome.is_error and f"there is no element [{number}] on the page now" in outcome.text


async def test_frames_and_shadow_trees_are_part_of_the_page(shop: Site, surfer: Surfer) -> None:
    shown = await surfer.ok("navigate", url=f"{shop.url}/frames")
    assert shown.count("Since 1912") == 1, "what is hidden is left out"
    shown = await surfer.ok("navigate", url=f"{shop.url}/shadow")
    assert "deep words" in shown and 'button "Deep"' in shown


async def test_dialogs_are_told_and_dismissed(shop: Site, surfer: Surfer) -> None:
    assert 'said "Are you there?" and was dismissed' in await surfer.ok("navigate", url=f"{shop.url}/talks")
    shown = await surfer.ok("click", name="Ask")
    assert 'said "Sure?"' in shown and "false" in shown


async def test_a_hidden_box_is_ticked_by_its_label_and_rich_text_is_typed(shop: Site, surfer: Surfer) -> None:
    await surfer.ok("navigate", url=f"{shop.url}/boxes")
    assert "ticked" in await surfer.ok("click", name="I agree")
    assert "so rich" in await surfer.ok("type", name="Rich", text="so rich")


WRONG: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "an upload": ("boxes", "type", {"name": "Upload", "text": "/etc/passwd"}, "files cannot be given"),
    "a disabled field": ("boxes", "type", {"name": "Off", "text": "x"}, "nothing was entered"),
    "no option": ("", "type", {"name": "Country", "text": "Narnia"}, "choose one of its options"),
    "a button": ("", "type", {"name": "Order", "text": "x"}, "nothing was entered"),
    "covered": ("covered", "click", {"name": "Under"}, 'Something covers it: <div id="veil"'),
    "ambiguous": ("twice", "click", {"name": "Save"}, "2 elements fit 'Save': choose one by its number"),
    "unknown": ("twice", "click", {"name": "Delete"}, "nothing on the page is named 'Delete'"),
    "neither": ("twice", "click", {}, "either by its number"),
    "both": ("twice", "click", {"name": "Save", "element": 1}, "either by its number"),
    "nowhere back": ("twice", "back", {}, "there is no page before this one"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_cannot_be_done_is_said_in_words_to_act_on(case: str, shop: Site, surfer: Surfer) -> None:
    page, tool, arguments, told = WRONG[case]
    task = f"wrong-{case}"
    await surfer.ok("navigate", task=task, url=f"{shop.url}/{page}")
    outcome = await surfer(tool, task=task, **arguments)
    assert outcome.is_error and told in outcome.text
    assert "Call log" not in outcome.text


async def test_before_any_page_there_is_nothing_to_use(surfer: Surfer) -> None:
    outcome = await surfer("extract", task="fresh")
    assert outcome.is_error and "browser_navigate first" in outcome.text


async def test_scrolling_makes_a_page_load_more(shop: Site, surfer: Surfer) -> None:
    assert "grown" not in await surfer.ok("navigate", url=f"{shop.url}/grows")
    assert "grown" in await surfer.ok("scroll", screens=2)


async def test_a_screenshot_is_a_picture_in_the_workspace(shop: Site, surfer: Surfer) -> None:
    await surfer.ok("navigate", url=f"{shop.url}/tall")
    for full, height in ((False, 800), (True, 10_000)):
        shown = await surfer.ok("screenshot", full_page=full)
        path = shown.partition("Saved as ")[2].partition(":")[0]
        data = (surfer.workspaces.folder(ADA) / path).read_bytes()
        assert f"PNG, 1280 x {height} pixels, {len(data)} bytes" in shown
        assert _is_sound_png(data, 1280, height)


def _is_sound_png(data: bytes, width: int, height: int) -> bool:
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", data[16:24]) == (width, height)
    place, pixels = 8, b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind = data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0]
        pixels += body if kind == b"IDAT" else b""
        place += 12 + length
    return len(zlib.decompress(pixels)) >= width * height


async def test_a_screenshot_that_does_not_fit_the_workspace_is_said(shop: Site, surfer: Surfer) -> None:
    folder = surfer.workspaces.folder(ADA)
    taken = sum(file.stat().st_size for file in folder.rglob("*.png"))
    surfer.workspaces.write(ADA, "big.txt", "x" * (20_000_000 - taken - 1000))
    await surfer.ok("navigate", url=f"{shop.url}/")
    outcome = await surfer("screenshot")
    surfer.workspaces.write(ADA, "big.txt", "")
    assert outcome.is_error and "only" in outcome.text and "are free" in outcome.text


async def test_what_is_typed_into_a_password_field_is_never_shown(shop: Site, surfer: Surfer) -> None:
    secret = "correct horse"
    shown = await surfer.ok("navigate", url=f"{shop.url}/")
    shown += await surfer.ok("type", name="Password", text=secret)
    assert 'password "Password" = "(hidden)"' in shown
    shown += await surfer.ok("click", name="Order")
    assert '"secret": "[hidden]"' in shown, "the site says it, and it is hidden"
    shown += await surfer.ok("extract")
    assert secret not in shown
    assert "secret=correct+horse" in shop.requests[-1][1], "the site got it"


async def test_tools_that_change_something_are_writes_and_all_others_reads(surfer: Surfer) -> None:
    effects = {each.spec.name: each.spec.effect for each in browser_tools(surfer.visits, surfer.workspaces)}
    writes = {"browser_click", "browser_type"}
    assert {name for name, effect in effects.items() if effect is Effect.WRITE} == writes
    assert {effect for name, effect in effects.items() if name not in writes} == {Effect.READ}


async def test_two_agents_and_two_tasks_share_nothing(shop: Site, surfer: Surfer) -> None:
    shop.pages["/cookie"] = "<script>document.cookie ||= 'seen=1; path=/'; document.title = document.cookie</script>x"
    for task, agent in (("one", ""), ("one", "helper"), ("two", "")):
        shop.pages["/cookie"] = (
            "<script>document.title = document.cookie || 'none'; document.cookie = 'seen=1'</script>x"
        )
        assert "Title: none" in await surfer.ok("navigate", task=task, agent=agent, url=f"{shop.url}/cookie")
    assert "Title: seen=1" in await surfer.ok("navigate", task="one", url=f"{shop.url}/cookie")
