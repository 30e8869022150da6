"""A task uses tools that MCP servers and APIs serve, as far as its tenant may; a wrong file of tools stops the start."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.testing import WorkflowEnvironment

from tests.support import mcp_notes
from tests.support.shop import shop
from tests.support.world import World, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.activities.tools.declarations import ToolFileError
from theseus.contracts.task import TaskStatus

NOTES = {"mcpServers": {"notes": {"command": sys.executable, "args": [mcp_notes.__file__]}}}
TALK: dict[str, Any] = {
    "rules": [
        {
            "when": {"turn": 0},
            "reply": {
                "tool_calls": [
                    {"name": "notes__echo", "arguments": {"text": "from the server"}},
                    {"name": "shop__getItem", "arguments": {"item_id": "7"}},
                ]
            },
        },
        {"reply": {"text": "done"}},
    ]
}
RULES = json.dumps({"acme": ["*"], "other": ["notes__*", "calculator"]})


def results(model: ScriptedModel) -> list[str]:
    """What the model was told of its calls."""
    return [message["content"] for message in model.requests[-1].body["messages"] if message["role"] == "tool"]


def offered(model: ScriptedModel) -> set[str]:
    """The tools that the model was offered in the first call."""
    return {tool["function"]["name"] for tool in model.requests[0].body["tools"]}


@pytest.mark.parametrize("tenant", ["acme", "other"])
async def test_a_task_uses_served_tools_as_far_as_its_tenant_may(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, tenant: str
) -> None:
    async with shop() as api:
        (tmp_path / "mcp.yaml").write_text(yaml.safe_dump(NOTES))
        entry = {"name": "shop", "document": f"{api.base_url}/openapi.json", "allow": ["127.0.0.1"]}
        (tmp_path / "apis.yaml").write_text(yaml.safe_dump([entry]))
        files: dict[str, Any] = {"mcp_file": tmp_path / "mcp.yaml", "openapi_file": tmp_path / "apis.yaml"}
        async with world(temporal.client, model, tmp_path, tenant_tools=RULES, **files) as there:
            model.replace(TALK)
            result = await there.run("look it up", tenant_id=tenant)
        assert (result.status, result.result) == (TaskStatus.COMPLETED, "done")
        said, got = results(model)
        assert said == "from the server"
        assert "notes__echo" in offered(model)
        assert ("shop__getItem" in offered(model), got == '{"ok":true}') == (tenant == "acme", tenant == "acme")
        assert len([seen for seen in api.requests if seen["path"] == "/v1/items/7"]) == (tenant == "acme")


async def test_a_wrong_file_of_tools_stops_the_worker_with_one_line_and_exit_code_2(
    idle: World, tmp_path: Path
) -> None:
    file = tmp_path / "apis.yaml"
    file.write_text("- name: shop\n")
    environ = {
        **os.environ,
        "TEMPORAL_ADDRESS": idle.client.service_client.config.target_host,
        "THESEUS_OPENAPI_FILE": str(file),
        "THESEUS_TASK_QUEUE": idle.settings.task_queue,
        "OPENAI_API_KEY": "test",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "theseus.worker", env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert f"theseus worker: {file}: 0.document: Field required\n" in told.decode()
    assert "Traceback" not in told.decode()


@pytest.mark.parametrize(
    ("servers", "told"),
    [
        ({"notes": {}}, "mcpServers.notes: Value error, give either `command` or `url`"),
        ({"no__tes": {"command": "x"}}, "mcpServers.no__tes"),
        ({"notes": {"command": "x", "env": {"K": "${NOT_SET}"}}}, "mcpServers.notes.env.K: the variable NOT_SET"),
        ({"notes": {"url": "https://a:b@c/"}}, "`url` is no http:// or https:// address"),
        ({"shop": {"command": "x"}}, "'shop' is the name of an MCP server, too"),
    ],
    ids=["neither", "name", "variable", "url", "twice"],
)
async def test_a_wrong_entry_is_named_with_its_place(
    idle: World, tmp_path: Path, servers: dict[str, Any], told: str
) -> None:
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    (tmp_path / "apis.yaml").write_text(yaml.safe_dump([{"name": "shop", "document": "shop.yaml"}]))
    files = {"mcp_file": tmp_path / "mcp.json", "openapi_file": tmp_path / "apis.yaml"}
    idle.settings = idle.settings.model_copy(update=files)
    with pytest.raises(ToolFileError) as caught:
        async with idle.worker():
            pass
    assert told in str(caught.value)
    assert "/mcp.json: " in str(caught.value) or "/apis.yaml: " in str(caught.value)
