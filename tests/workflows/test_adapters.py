"""A role that needs a vendor works with what an adapter brings, for the platforms that its caller left on, or is refused at no cost."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.contract.source_tree import ROOT
from tests.support.installed import SHIPPED, install
from tests.support.teams import PLANNER, ROUTER
from tests.support.vendor_data import vendor_data
from tests.support.world import World, activities_of, history, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.config import SettingsError
from theseus.contracts.task import TaskStatus

GOOGLE = {"ads_serp_extract", "ads_transparency_search"}
VENDORS = ("ads_research", "financial_news", "data_analytics")
ROUTED: dict[str, Any] = {
    "when": {"system": ROUTER},
    "reply": {"json": {"suggested_mode": "simple", "complexity": 0.2, "needs_tools": False}},
}


@pytest_asyncio.fixture
async def served(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A world whose worker has the shipped adapter, with data."""
    install(monkeypatch, tmp_path, "shipped", SHIPPED)
    async with world(temporal.client, model, tmp_path, work=False) as there:
        there.environ = {**there.environ, "THESEUS_ADAPTER_DATA": str(vendor_data(tmp_path / "vendor"))}
        async with there.worker():
            yield there


def offered(there: World, place: int = 0) -> set[str]:
    """The vendor's tools of a request."""
    names = {tool["function"]["name"] for tool in there.model.requests[place].body.get("tools", [])}
    return names - {"calculator", "read_artifact", "python_executor", "file_read", "file_list"}


def calling(*calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A model that makes these calls at once and then answers."""
    wanted = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return [ROUTED, {"when": {"turn": 0}, "reply": {"tool_calls": wanted}}, {"reply": {"text": "the comparison"}}]


def given(there: World) -> list[Any]:
    """What the tools gave, as the model was told it last."""
    messages = there.model.requests[-1].body["messages"]
    return [json.loads(message["content"]) for message in messages if message["role"] == "tool"]


def seed(number: int) -> dict[str, Any]:
    """An example of the seeds for ads research, word for word."""
    return json.loads(
        [
            """{
    "query": "Analyze competitor ads for organic skincare products",
    "context": {
      "role": "ads_research"
    }
  }""",
            """{
    "query": "Find competitor pricing strategies for wireless earbuds",
    "context": {
      "role": "ads_research",
      "platforms": {
        "google": true,
        "yahoo_jp": false,
        "meta": false
      }
    }
  }""",
            """{
    "query": "Research fashion brand advertising on Instagram and Yahoo Japan",
    "context": {
      "role": "ads_research",
      "platforms": {
        "google": false,
        "yahoo_jp": true,
        "meta": true,
        "meta_platform": "instagram"
      }
    }
  }""",
        ][number]
    )


async def test_all_platforms_are_asked_where_none_is_turned_off(served: World) -> None:
    query = {"keywords": "organic skincare"}
    calls = [(name, query) for name in ("ads_serp_extract", "yahoo_jp_ads", "meta_ad_library")]
    calls.append(("ads_transparency_search", {"advertiser": "Glow"}))
    served.model.replace({"rules": calling(*calls)})
    result = await served.run(**seed(0), workflow="TaskWorkflow")
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "the comparison")
    assert offered(served, 1) == {*GOOGLE, "yahoo_jp_ads", "meta_ad_library"}
    told = given(served)
    assert [{ad["platform"] for ad in each["ads"]} for each in told] == [
        {"google"},
        {"yahoo_jp"},
        {"facebook", "instagram", "messenger", "whatsapp"},
        {"google"},
    ]
    assert all("skincare" in ad["title"] for each in told[:3] for ad in each["ads"])


async def test_a_platform_that_is_turned_off_has_no_tool_and_cannot_be_asked(served: World) -> None:
    calls = (("ads_serp_extract", {"keywords": "wireless earbuds"}), ("meta_ad_library", {"keywords": "earbuds"}))
    served.model.replace({"rules": calling(*calls)})
    result = await served.run(**seed(1), workflow="TaskWorkflow")
    assert result.status is TaskStatus.COMPLETED
    assert offered(served, 1) == GOOGLE
    asked, refused = [m["content"] for m in served.model.requests[-1].body["messages"] if m["role"] == "tool"]
    assert '"59.0"' in asked and "There is no tool 'meta_ad_library' for you" in refused


async def test_a_filter_of_meta_s_platforms_reaches_the_tool(served: World) -> None:
    calls = (("yahoo_jp_ads", {"keywords": "fashion"}), ("meta_ad_library", {"keywords": "fashion brand"}))
    served.model.replace({"rules": calling(*calls)})
    result = await served.run(**seed(2), workflow="TaskWorkflow")
    assert result.status is TaskStatus.COMPLETED
    assert offered(served, 1) == {"yahoo_jp_ads", "meta_ad_library"}
    assert [{ad["platform"] for ad in each["ads"]} for each in given(served)] == [{"yahoo_jp"}, {"instagram"}]
    assert '"meta_platform": "instagram"' in served.model.requests[1].body["messages"][0]["content"]


async def test_news_filings_and_moods_are_told_by_security_and_day(served: World) -> None:
    calls = (
        ("news_aggregator", {"query": "chip treaty"}),
        ("alpaca_news", {"symbols": ["AAPL"]}),
        ("sec_filings", {"symbols": ["aapl"], "form": "8-K"}),
        ("twitter_sentiment", {"symbols": ["AAPL"], "since": "2025-10-01"}),
    )
    served.model.replace({"rules": calling(*calls)})
    result = await served.run("What moves Apple?", context={"role": "financial_news"})
    assert result.status is TaskStatus.COMPLETED
    news, alpaca, filings, mood = given(served)
    assert [item["title"] for item in news["items"]] == ["Two chip makers agree"]
    assert [item["title"] for item in alpaca["items"]] == ["Shares rise"]
    assert [item["title"] for item in filings["items"]] == ["Current report"]
    assert (mood["messages"], mood["mean"], mood["positive"], mood["negative"]) == (2, 0.3, 1, 1)


async def test_an_analyst_sees_the_caller_s_own_profile_and_can_sum_and_filter(served: World) -> None:
    only = [{"column": "day", "least": "2025-08-02"}]
    total = {"table": "visits", "measure": "visits", "function": "sum"}
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("analytics_tables", {}),
        ("analytics_query", total | {"group_by": ["source"]}),
        ("analytics_query", total | {"only": only}),
        ("analytics_query", {"table": "visits", "group_by": ["gone"]}),
    )
    served.model.replace({"rules": calling(*calls)})
    params = {"profile_id": "49598h6e"}
    result = await served.run("Visits?", context={"role": "data_analytics", "prompt_params": params})
    assert result.status is TaskStatus.COMPLETED
    tables, by_source, later, wrong = [
        m["content"] for m in served.model.requests[-1].body["messages"] if m["role"] == "tool"
    ]
    assert json.loads(tables)["visits"]["rows"] == 3, "the other profile's rows are not shown"
    assert [(row["source"], row["value"]) for row in json.loads(by_source)["result"]] == [("mail", 50), ("search", 250)]
    assert json.loads(later)["result"] == [{"value": 200.0, "rows": 2}]
    assert "Columns: profile_id, day, source, visits" in wrong


@pytest.mark.parametrize("role", VENDORS)
async def test_without_an_adapter_the_task_is_refused_and_told_what_to_install(there: World, role: str) -> None:
    handle = await there.start("work", context={"role": role})
    result = await there.result(handle)
    assert (result.status, result.usage.total_tokens) == (TaskStatus.FAILED, 0)
    assert result.error is not None and (result.error.type, result.error.field) == ("NoAdapter", "context.role")
    assert all(
        word in result.error.message for word in (role, "theseus.adapters", "THESEUS_ADAPTERS", "docs/adapters.md")
    )
    assert there.model.requests == [] and activities_of(await history(handle)) == []
    assert [e.event.type for e in await there.events(handle.id)] == ["WORKFLOW_FAILED", "STREAM_END"]


async def test_a_task_whose_own_list_of_tools_leaves_the_vendor_out_is_refused(served: World) -> None:
    result = await served.run("work", context={"role": "ads_research"}, tools=["calculator"])
    assert result.error is not None and result.error.type == "NoAdapter"


@pytest.mark.parametrize(
    ("platforms", "field"),
    [
        ({"google": False, "yahoo_jp": False, "meta": False}, "context.platforms"),
        ({"meta": False, "meta_platform": "facebook"}, "context.platforms.meta_platform"),
        ({"tiktok": True}, "context.platforms.tiktok"),
    ],
)
async def test_toggles_that_leave_nothing_or_have_no_effect_are_refused(
    served: World, platforms: dict[str, Any], field: str
) -> None:
    result = await served.run("work", context={"role": "ads_research", "platforms": platforms})
    assert result.error is not None and (result.error.type, result.error.field) == ("InvalidInput", field)
    assert served.model.requests == []


async def test_planners_and_leads_are_not_told_of_roles_that_cannot_work(there: World, served: World) -> None:
    for each, expected in ((there, False), (served, True)):
        await each.run("x", workflow="StandardWorkflow")
        planner = str(each.model.requests[0].body["messages"][0]["content"])
        assert PLANNER in planner and ("ads_research" in planner) is expected
        each.model.requests.clear()


HALF = """
from datetime import timedelta
from theseus.activities.tools.registry import tool
from theseus.contracts.tools import Effect

@tool(effect=Effect.READ, timeout=timedelta(seconds=5))
def yahoo_jp_ads() -> str:
    '''Finds nothing.'''
    return "nothing"

class Half:
    @classmethod
    def create(cls, environ):
        return cls()
    def tools(self):
        return {"ads_research": [yahoo_jp_ads]}
    async def aclose(self):
        pass
"""


async def test_a_platform_that_was_asked_for_and_that_no_adapter_asks_makes_the_task_degraded(
    idle: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "half", {"half": "half_adapter:Half"}, half_adapter=HALF)
    idle.settings = idle.settings.model_copy(update={"adapters": ("half",)})
    async with idle.worker():
        plain = await idle.run("work", context={"role": "ads_research"})
        asked = await idle.run("work", context={"role": "ads_research", "platforms": {"yahoo_jp": True, "meta": True}})
        none = await idle.run("work", context={"role": "ads_research", "platforms": {"yahoo_jp": False}})
    assert plain.status is TaskStatus.COMPLETED
    assert (asked.status, asked.metadata.degraded) == (
        TaskStatus.DEGRADED,
        ["context.platforms: no adapter asks meta"],
    )
    assert none.error is not None and none.error.type == "NoAdapter" and "yahoo_jp_ads" not in none.error.message


async def test_the_adapter_of_the_page_on_adapters_works(
    idle: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "adapters.md").read_text()
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    target = re.search(r"^weather = \"(.*)\"$", page, re.MULTILINE)
    assert found is not None and target is not None
    install(monkeypatch, tmp_path, "weather", {"weather": target[1]}, weather_adapter=found[1])
    idle.settings = idle.settings.model_copy(update={"adapters": ("weather",)})
    with pytest.raises(SettingsError, match="weather is named in THESEUS_ADAPTERS but not configured"):
        async with idle.worker():
            pass
    idle.environ = {**idle.environ, "WEATHER_KEY": "short"}
    with pytest.raises(SettingsError, match="weather: WEATHER_KEY is too short"):
        async with idle.worker():
            pass
    idle.environ = {**idle.environ, "WEATHER_KEY": "long enough"}
    idle.model.replace({"rules": calling(("station_figures", {"year": 2025}))})
    async with idle.worker():
        context = {"role": "data_analytics", "prompt_params": {"station_id": "north"}}
        result = await idle.run("Rain?", context=context)
        assert result.status is TaskStatus.COMPLETED
        assert given(idle) == [{"station": "north", "rain": "25 mm"}]
        lost = await idle.run("Rain?", context={"role": "data_analytics"})
    assert lost.status is TaskStatus.COMPLETED
    assert "prompt_params.station_id is missing" in idle.model.requests[-1].body["messages"][-1]["content"]
