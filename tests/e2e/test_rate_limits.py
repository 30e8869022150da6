"""Workers that share a provider's quota keep to it together. How well they use it is a figure of `make bench`."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.servers import valkey
from tests.support.world import World, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.task import TaskStatus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

WORKERS = 2
TASKS = 24
A_MINUTE = 240
STRETCH = {"requests": 12, "seconds": 3}
"""The same quota as the provider holds it."""
MODELS = f"""
providers:
  - name: openai
    kind: openai
    base_url_variable: OPENAI_BASE_URL
    key_variable: OPENAI_API_KEY
    rate_limits: {{requests_per_minute: {A_MINUTE}}}
models:
  - {{provider: openai, model: m, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 1000}}
"""


@contextmanager
def workers(there: World, models: Path) -> Generator[None, None, None]:
    """Workers as users run them: each a process of its own, configured by environment alone."""
    environ = {
        **os.environ,
        **there.environ,
        "TEMPORAL_ADDRESS": there.client.service_client.config.target_host,
        "REDIS_URL": there.settings.redis_url,
        "THESEUS_TASK_QUEUE": there.settings.task_queue,
        "THESEUS_DATA_DIR": str(there.settings.data_dir),
        "THESEUS_MODELS_FILE": str(models),
        "THESEUS_LOG_LEVEL": "error",
    }
    running = [subprocess.Popen([sys.executable, "-m", "theseus.worker"], env=environ) for _ in range(WORKERS)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


async def test_two_workers_keep_to_one_quota(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    models = tmp_path / "models.yaml"
    models.write_text(MODELS)
    model.replace({"rules": [{"reply": {"text": "ok"}}]})
    async with world(temporal.client, model, tmp_path, work=False) as there:
        with valkey(tmp_path) as url:
            there.settings = there.settings.model_copy(update={"redis_url": url})
            with workers(there, models):
                await asyncio.gather(*(there.run(f"warm up {n}", context={"role": "chat"}) for n in range(WORKERS)))
                model.replace({"rate_limit": STRETCH, "rules": [{"reply": {"text": "ok"}}]})
                model.clear()
                tasks = (there.run(f"task {n}", context={"role": "chat"}) for n in range(TASKS))
                results = await asyncio.gather(*tasks)
    assert {result.status for result in results} == {TaskStatus.COMPLETED}
    refused = sum(request.outcome == "429" for request in model.requests)
    assert refused <= TASKS / 4, "each for itself, they would be refused about as often as they are served"
