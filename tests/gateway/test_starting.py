"""A gateway that cannot start says why in its last line, at once, and ends."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.servers import free_port


async def said(temporal: WorkflowEnvironment, folder: Path, port: int, **settings: str) -> str:
    """The last words of a gateway that does not start."""
    own = {
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "THESEUS_DATA_DIR": str(folder),
        "GATEWAY_SKIP_AUTH": "1",
        **settings,
    }
    command = (sys.executable, "-m", "theseus", "gateway", "--port", str(port))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **own}, stdout=pipe, stderr=pipe)
    try:
        _, lines = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 2 and b"Traceback" not in lines, lines.decode()
    return lines.decode().splitlines()[-1]


async def test_a_port_that_is_taken_is_said(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = await said(temporal, tmp_path, port)
    assert f"cannot listen at 127.0.0.1:{port}" in line and "in use" in line


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"THESEUS_TENANT_TOOLS": "/nowhere/tools.yaml"}, "/nowhere/tools.yaml"),
        ({"THESEUS_MODELS_FILE": "/nowhere/models.yaml"}, "/nowhere/models.yaml"),
        ({"DATABASE_URL": "mysql://ada@127.0.0.1/x"}, "DATABASE_URL"),
    ],
)
async def test_a_setting_that_cannot_be_is_said(
    temporal: WorkflowEnvironment, tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    line = await said(temporal, tmp_path, free_port(), **settings)
    assert words in line
