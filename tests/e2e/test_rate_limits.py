"""Workers that share a provider's quota use it up and are hardly ever refused: at least 90 % of it, under 2 % of 429s."""

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

WORKERS = 4
TASKS = 80
ENDS = 10
A_MINUTE = 300
STRETCH = {"requests": 60, "seconds": 12}
"""A quota of 60 a minute, five times as fast; so the provider looks at stretches of 12 s instead of 60 s."""
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


async def test_four_workers_use_a_quota_up_and_are_hardly_ever_refused(
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
                await asyncio.sleep(4)
                model.replace({"rate_limit": STRETCH, "rules": [{"reply": {"text": "ok"}}]})
                model.clear()
                tasks = (there.run(f"task {n}", context={"role": "chat"}) for n in range(TASKS))
                results = await asyncio.gather(*tasks)
    assert {result.status for result in results} == {TaskStatus.COMPLETED}
    asked = len(model.requests)
    refused = sum(request.outcome == "429" for request in model.requests)
    # only while tasks wait can a quota be used up
    answered = sorted(request.started_at for request in model.requests if request.outcome == "answered")
    busy = answered[ENDS:-ENDS]
    used = (len(busy) - 1) / (busy[-1] - busy[0]) * 60 / A_MINUTE
    figures = f"{used:.1%} of the quota used, {refused / asked:.1%} of {asked} requests refused"
    print(figures)
    assert used >= 0.9, figures
    assert refused / asked < 0.02, figures
