"""Each role works as it is written: its tools are offered, its temperature, cap and prompt are on the wire; none is made up."""

import re
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.installed import SHIPPED, install
from tests.support.teams import assign, finish, leads, recruit, works
from tests.support.vendor_data import vendor_data
from tests.support.world import World, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.activities.tools.contained.box import Box, ContainmentError
from theseus.contracts.task import TaskStatus
from theseus.contracts.tools import RESEARCH_ONLY, SEND_MESSAGE
from theseus.roles.presets import PRESETS
from theseus.roles.role import ALL_TOOLS

SEEDS: dict[str, set[str]] = {
    "analysis": {"web_search", "file_read"},
    "research": {"web_search", "web_fetch", "web_subpage_fetch", "web_crawl"},
    "writer": {"file_read"},
    "critic": {"file_read"},
    "developer": {"file_read", "file_write", "file_list", "bash", "python_executor"},
    "ads_research": {"ads_serp_extract", "ads_transparency_search", "meta_ad_library", "yahoo_jp_ads"},
    "financial_news": {"news_aggregator", "alpaca_news", "sec_filings", "twitter_sentiment"},
    "data_analytics": {"analytics_tables", "analytics_query"},
}
"""The tools that are promised of each role; those of data_analytics are the shipped adapter's own."""

MODELS = """
providers:
  - {name: openai, kind: openai, base_url_variable: OPENAI_BASE_URL, key_variable: OPENAI_API_KEY}
models:
  - {provider: openai, model: m, tiers: [small, medium, large], priority: 1, context_window_tokens: 100000, max_output_tokens: 50000}
"""


async def _contains() -> bool:
    try:
        await Box().prove()
    except ContainmentError:
        return False
    return True


@pytest_asyncio.fixture
async def whole(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A world whose worker has every tool that there is."""
    install(monkeypatch, tmp_path, "shipped", SHIPPED)
    models, corpus = tmp_path / "models.yaml", tmp_path / "corpus"
    models.write_text(MODELS)
    corpus.mkdir()
    settings: dict[str, Any] = {"models_file": models, "corpus_dir": corpus, "bash": await _contains()}
    async with world(temporal.client, model, tmp_path, work=False, **settings) as there:
        there.environ = {**there.environ, "THESEUS_ADAPTER_DATA": str(vendor_data(tmp_path / "vendor"))}
        async with there.worker():
            yield there


def offered(there: World, place: int = 0) -> set[str]:
    """The tools of a request."""
    return {tool["function"]["name"] for tool in there.model.requests[place].body.get("tools", [])}


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "browser_use"])
async def test_a_role_s_tools_prompt_temperature_and_cap_are_on_the_wire(whole: World, name: str) -> None:
    role = PRESETS[name]
    whole.model.replace({"rules": [{"reply": {"text": "done"}}]})
    result = await whole.run("work", context={"role": name})
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "done")
    body = whole.model.requests[0].body
    assert body["messages"][0]["content"].startswith(re.sub(r"\$\{[^}]*\}", "", role.instructions))
    assert body.get("temperature") == role.temperature
    assert body["max_tokens"] == role.max_output_tokens
    promised = SEEDS.get(name, set()) - (set() if whole.settings.bash else {"bash"})
    assert promised <= offered(whole)
    if ALL_TOOLS not in role.tools:
        assert offered(whole) <= {*role.tools, *promised}
    events = {stored.event.type: stored.event for stored in await whole.events(result.task_id)}
    assert set(events["ROLE_ASSIGNED"].payload.model_dump()["tools"]) == offered(whole)


async def test_the_generalist_has_every_tool_but_those_that_need_a_team_or_a_research(whole: World) -> None:
    whole.model.replace({"rules": [{"reply": {"text": "done"}}]})
    await whole.run("work")
    assert set.union(*SEEDS.values()) - {"bash"} <= offered(whole)
    assert not offered(whole) & {*RESEARCH_ONLY, SEND_MESSAGE}


async def test_a_caller_s_system_prompt_replaces_a_role_s_and_its_variables_are_filled(whole: World) -> None:
    own = {
        "system_prompt": "You count ${what.thing} for ${who}. ${gone}",
        "prompt_params": {"what.thing": "ads", "who": 7},
    }
    await whole.run("work", context={"role": "ads_research", **own})
    told = whole.model.requests[0].body["messages"][0]["content"]
    assert told.startswith("You count ads for 7. ")
    assert "You research" not in told
    assert offered(whole) >= SEEDS["ads_research"], "the role's tools stay"


async def test_an_unknown_role_is_refused_with_all_that_are_known(there: World) -> None:
    result = await there.run("work", context={"role": "pirate"})
    assert result.error is not None and (result.error.type, result.error.field) == ("InvalidInput", "context.role")
    assert all(name in result.error.message for name in PRESETS)
    assert there.model.requests == []


async def test_a_critic_has_room_to_say_what_is_wrong() -> None:
    assert min(role.max_output_tokens for role in PRESETS.values()) >= 4096


async def test_the_lead_of_a_task_with_a_role_recruits_that_role_alone(there: World) -> None:
    rules = [
        *leads([recruit("ann", "writer"), recruit("bob", "critic")], [assign("bob")], [finish("so")]),
        works("bob", "found"),
    ]
    there.model.replace({"rules": rules})
    handle = await there.start("look at it", workflow="SupervisorWorkflow", context={"role": "critic"})
    result = await there.result(handle)
    assert result.status is TaskStatus.COMPLETED
    assert {record.role for record in result.metadata.agents} == {"critic"}
    lead = there.model.requests[0].body["messages"][0]["content"]
    assert '"critic"' in lead and '"writer"' not in lead
    assert "there is no role 'writer'" in there.model.requests[1].body["messages"][-1]["content"]
