"""What tasks may name is listed as it is: roles, skills, templates of the folders, tools that workers offer now."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.world import until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.roles.presets import PRESETS


async def listed(door: Gateway, what: str, **query: str) -> list[dict[str, object]]:
    answer = await door.http.get(f"/api/v1/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()[what]


async def test_roles_are_the_presets(door: Gateway) -> None:
    found = {str(role["name"]): role for role in await listed(door, "roles")}
    assert set(found) == set(PRESETS)
    assert found["developer"]["tools"] and found["ads_research"]["needs_adapter"] is True


async def test_skills_are_found_by_name_version_and_category(door: Gateway) -> None:
    found = await listed(door, "skills")
    names = {str(skill["name"]) for skill in found}
    assert {"code-review", "debugging", "test-driven-dev"} <= names
    category = str(found[0]["category"])
    assert {skill["category"] for skill in await listed(door, "skills", category=category)} == {category}
    assert await listed(door, "skills", category="nothing") == []
    whole = (await door.http.get("/api/v1/skills/code-review")).json()["skill"]
    assert len(whole["content"]) > 200 and whole["content_hash"]
    versions = (await door.http.get("/api/v1/skills/code-review/versions")).json()
    assert versions == {"name": "code-review", "versions": [whole["version"]]}
    exact = await door.http.get(f"/api/v1/skills/code-review@{whole['version']}")
    assert exact.json()["skill"] == whole


async def test_templates_are_listed_and_shown_whole(door: Gateway) -> None:
    found = {str(template["name"]) for template in await listed(door, "templates")}
    assert {"research_summary", "weekly_briefing"} <= found
    whole = (await door.http.get("/api/v1/templates/weekly_briefing")).json()
    assert whole["template"]["nodes"] and whole["content_hash"]


async def test_of_several_versions_the_newest_by_number_is_shown_as_tasks_get_it(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for version in ("1.10.0", "1.9.0", "2.0.0-rc.1"):
        (folder / f"t-{version}.yaml").write_text(
            f"name: t\nversion: {version}\nnodes:\n  - {{id: a, type: render, text: A}}\n"
            "  - {id: b, type: render, text: B}\nedges: [{from: a, to: b}]\n"
        )
        (folder / f"s-{version}.md").write_text(f"---\nname: s\nversion: {version}\n---\nWork.\n")
    own: dict[str, Any] = {"templates": (str(folder),), "skills": (str(folder),)}
    async with (
        world(temporal.client, model, tmp_path, work=False, **own) as there,
        gateway(there, tmp_path) as door,
    ):
        shown = (await door.http.get("/api/v1/templates/t")).json()
        assert shown["version"] == "1.10.0"
        assert shown["template"]["edges"] == [{"from": "a", "to": "b"}], "as a file says it"
        assert (await door.http.get("/api/v1/templates/t@1.9.0")).json()["version"] == "1.9.0"
        in_order = ["1.9.0", "1.10.0", "2.0.0-rc.1"]
        assert [each["version"] for each in await listed(door, "templates") if each["name"] == "t"] == in_order
        assert (await door.http.get("/api/v1/skills/s/versions")).json()["versions"] == in_order
        assert (await door.http.get("/api/v1/skills/s")).json()["skill"]["version"] == "1.10.0"


@pytest.mark.parametrize(
    "path",
    [
        "skills/none",
        "skills/none/versions",
        "skills/code-review@9.9.9",
        "templates/none",
        "tools/none",
        "templates/../x",
    ],
)
async def test_what_is_not_there_is_said(door: Gateway, path: str) -> None:
    answer = await door.http.get(f"/api/v1/{path}")
    assert answer.status_code == 404 and set(answer.json()) == {"error"}


async def test_tools_are_those_that_workers_offer_now(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    async with (
        world(temporal.client, model, tmp_path, work=False) as there,
        gateway(there, tmp_path) as door,
    ):
        assert await listed(door, "tools") == []
        async with there.worker():

            async def are_told() -> bool:
                return bool(await listed(door, "tools"))

            await until(are_told)
            found = {str(tool["name"]): tool for tool in await listed(door, "tools")}
            assert "calculator" in found and "file_write" in found
            one = (await door.http.get("/api/v1/tools/calculator")).json()
            assert one == found["calculator"] and one["parameters"]["properties"]
            assert {tool["category"] for tool in await listed(door, "tools", category="read")} == {"read"}
        assert await listed(door, "tools") == []


async def test_a_tenant_sees_the_tools_that_it_may_use(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    rules = '{"": ["calculator"]}'
    async with (
        world(temporal.client, model, tmp_path, tenant_tools=rules) as there,
        gateway(there, tmp_path) as door,
    ):

        async def are_told() -> bool:
            return bool(await listed(door, "tools"))

        await until(are_told)
        assert [tool["name"] for tool in await listed(door, "tools")] == ["calculator"]
