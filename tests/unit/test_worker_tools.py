"""A worker has the tools that its settings ask for, and does not start with one that it cannot have."""

from pathlib import Path

import pytest

from tests.support.browsing import installed
from tests.support.world import memory_stores
from theseus.activities.tools.contained import box as box_module
from theseus.activities.tools.contained.box import Box, ContainmentError
from theseus.browsing import tools_of_browser
from theseus.config import Settings, SettingsError
from theseus.roles.browser_use import BROWSER_USE
from theseus.toolbox import own_tools

VARIABLES = ("SEARXNG_URL", "BRAVE_API_KEY", "TAVILY_API_KEY", "EXA_API_KEY", "SERPAPI_API_KEY", "THESEUS_BASH")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, "THESEUS_CORPUS_DIR", "THESEUS_SEARCH_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("THESEUS_DATA_DIR", str(tmp_path))


async def names() -> set[str]:
    stores = memory_stores()
    return {tool.spec.name for tool in await own_tools(Settings(), stores)}


async def test_searching_and_commands_are_there_only_when_they_are_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not {"web_search", "bash"} & await names()
    monkeypatch.setenv("EXA_API_KEY", "k")
    assert "web_search" in await names()


async def test_bash_is_there_when_it_is_turned_on_and_can_be_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        await Box().prove()
    except ContainmentError as error:
        pytest.skip(f"commands cannot be contained here: {error}")
    monkeypatch.setenv("THESEUS_BASH", "1")
    assert "bash" in await names()


async def test_a_worker_that_cannot_contain_commands_does_not_offer_them_uncontained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THESEUS_BASH", "1")
    monkeypatch.setattr(box_module.platform, "machine", lambda: "vax")
    with pytest.raises(SettingsError, match=r"THESEUS_BASH is on, but commands cannot be contained here: .* vax"):
        await names()


async def test_a_search_provider_that_is_named_without_being_configured_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THESEUS_SEARCH_PROVIDERS", "brave")
    with pytest.raises(SettingsError, match="brave is named but not configured"):
        await names()


async def browser_names() -> set[str]:
    async with tools_of_browser(Settings(), memory_stores().browsers, "q") as found:
        return {tool.spec.name for tool in found}


async def test_a_browser_is_there_when_one_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = installed()
    assert {name for name in BROWSER_USE.tools if name.startswith("browser_")} == await browser_names()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await browser_names() == set(), "none is on the PATH"
    monkeypatch.setenv("THESEUS_BROWSER", str(program))
    assert "browser_navigate" in await browser_names()


async def test_a_worker_does_not_start_with_a_browser_that_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed()
    monkeypatch.setenv("THESEUS_BROWSER", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=r"THESEUS_BROWSER=.*/none is no program that can be run"):
        await browser_names()
