"""An adapter that cannot be used is told with its name and what to do; none brings what is not its to bring."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.installed import SHIPPED, install
from tests.support.vendor_data import vendor_data
from theseus.activities.tools.registry import Tool, tool
from theseus.activities.vendors.loading import adapter_tools, load_adapters
from theseus.activities.vendors.port import AdapterError
from theseus.contracts.tools import Effect

SECOND = timedelta(seconds=1)


def made(name: str, effect: Effect = Effect.READ) -> Tool:
    def function() -> str:
        """Does nothing."""
        return ""

    function.__name__ = name
    return tool(effect=effect, timeout=SECOND)(function)


class Brings:
    """An adapter with these tools."""

    def __init__(self, **tools: Sequence[Tool]) -> None:
        self._tools = tools

    @classmethod
    def create(cls, environ: Mapping[str, str]) -> "Brings | None":
        return cls()

    def tools(self) -> Mapping[str, Sequence[Tool]]:
        return self._tools

    async def aclose(self) -> None:
        pass


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "shipped", SHIPPED)


def test_all_that_are_installed_and_configured_are_loaded(tmp_path: Path) -> None:
    assert "local_file" not in load_adapters(None, {})
    environ = {"THESEUS_ADAPTER_DATA": str(vendor_data(tmp_path / "data"))}
    assert "local_file" in load_adapters(None, environ)
    assert list(load_adapters(["local_file"], environ)) == ["local_file"]


@pytest.mark.parametrize(
    ("names", "environ", "words"),
    [
        (["gone"], {}, "gone is named in THESEUS_ADAPTERS but not installed; installed: .*local_file"),
        (["local_file"], {}, "local_file is named in THESEUS_ADAPTERS but not configured"),
        (
            None,
            {"THESEUS_ADAPTER_DATA": "/no/such"},
            "local_file: THESEUS_ADAPTER_DATA=/no/such: there is no such folder",
        ),
    ],
)
def test_one_that_is_asked_for_and_cannot_be_had_is_told(
    names: list[str] | None, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(AdapterError, match=words):
        load_adapters(names, environ)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nowhere:Thing", "odd: nowhere:Thing cannot be loaded: No module named 'nowhere'"),
        ("json:Thing", "odd: json:Thing cannot be loaded"),
        ("json:loads", "odd: json:loads is no adapter: it has no `create`"),
    ],
)
def test_one_that_is_no_adapter_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str, words: str
) -> None:
    install(monkeypatch, tmp_path, "odd", {"odd": target})
    with pytest.raises(AdapterError, match=words):
        load_adapters(["odd"], {})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "raise ValueError('bad key ' + environ['VENDOR_KEY'])",
            "odd: it cannot be made: ValueError in fails_0.py, line 4$",
        ),
        ("return cls()", "odd: its tools cannot be made: KeyError in fails_1.py, line 6$"),
    ],
)
def test_one_that_fails_in_its_own_code_is_told_by_its_place_without_its_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, words: str
) -> None:
    module = words.partition(" in ")[2].partition(".py")[0]
    text = f"class Odd:\n    @classmethod\n    def create(cls, environ):\n        {body}\n    def tools(self):\n        raise KeyError('hunter2')\n"
    install(monkeypatch, tmp_path, "odd", {"odd": f"{module}:Odd"}, **{module: text})
    with pytest.raises(AdapterError, match=words) as told:
        adapter_tools(load_adapters(["odd"], {"VENDOR_KEY": "hunter2"}), [])
    assert "hunter2" not in str(told.value) and told.value.__cause__ is None


def test_two_packages_with_one_name_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "other", {"local_file": "json:loads"})
    with pytest.raises(AdapterError, match="two installed packages have an adapter local_file"):
        load_adapters(None, {})


def test_a_tool_knows_the_roles_that_it_is_for() -> None:
    figures = made("figures")
    [one] = adapter_tools({"a": Brings(data_analytics=[figures])}, ["calculator"])
    assert (one.spec.name, one.roles) == ("figures", ("data_analytics",))


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ({"writer": [made("x")]}, "a: the role writer takes no tools of adapters; roles that do: data_analytics, ads_"),
        (
            {"ads_research": [made("ads_serp_extrct")]},
            "the role ads_research has no tool ads_serp_extrct; its tools: ads_s",
        ),
        (
            {"data_analytics": [made("drop", Effect.WRITE)]},
            "the tool drop has the effect write; tools of adapters only read",
        ),
        ({"data_analytics": [made("calculator")]}, "the tool calculator is brought by Theseus"),
    ],
)
def test_what_an_adapter_may_not_bring_is_told(tools: dict[str, list[Tool]], words: str) -> None:
    with pytest.raises(AdapterError, match=words):
        adapter_tools({"a": Brings(**tools)}, ["calculator"])


def test_a_tool_comes_from_one_adapter() -> None:
    both = {name: Brings(financial_news=[made("sec_filings")]) for name in ("a", "b")}
    with pytest.raises(AdapterError, match="b: the tool sec_filings is brought by a, too; name the adapters to load"):
        adapter_tools(both, [])


def test_a_folder_brings_tools_for_what_it_has(tmp_path: Path) -> None:
    folder = vendor_data(tmp_path / "data")
    (folder / "news.csv").unlink()
    found = load_adapters(["local_file"], {"THESEUS_ADAPTER_DATA": str(folder)})["local_file"].tools()
    assert set(found) == {"ads_research", "data_analytics"}
