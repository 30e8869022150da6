"""Workers that share a provider's quota: how much of it they use, and how often the provider has to refuse them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client

from benchmarks.rows import Row, start
from theseus.activities.llm.scripted.server import ScriptedModel

WORKERS = 4
TASKS = 150
ENDS = 10
A_MINUTE = 60
QUEUE = "quota"
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
def _workers(environ: dict[str, str]) -> Generator[None, None, None]:
    command = [sys.executable, "-m", "theseus.worker"]
    running = [subprocess.Popen(command, env={**os.environ, **environ}) for _ in range(WORKERS)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


async def quota(client: Client, model: ScriptedModel, environ: dict[str, str], folder: Path) -> list[Row]:
    """A provider of 60 requests in any 60 s, and more work than fits."""
    models = folder / "models.yaml"
    models.write_text(MODELS)
    own = {"THESEUS_TASK_QUEUE": QUEUE, "THESEUS_MODELS_FILE": str(models), "THESEUS_LOG_LEVEL": "error"}
    with _workers({**environ, **own}):
        await _run(client, WORKERS)
        await asyncio.sleep(60 / A_MINUTE * WORKERS)
        model.replace({"rate_limit": {"requests": A_MINUTE, "seconds": 60}, "rules": [{"reply": {"text": "ok"}}]})
        model.clear()
        await _run(client, TASKS)
    asked = len(model.requests)
    refused = sum(request.outcome == "429" for request in model.requests)
    # only while tasks wait can a quota be used up
    busy = sorted(request.started_at for request in model.requests if request.outcome == "answered")[ENDS:-ENDS]
    used = (len(busy) - 1) / (busy[-1] - busy[0]) * 60 / A_MINUTE
    return [
        Row("of a quota left unused by 4 workers", 100 * (1 - used), 10.0, "%", f"{A_MINUTE} requests a minute"),
        Row("requests that the provider refused", 100 * refused / asked, 2.0, "%", f"{refused} of {asked}"),
    ]


async def _run(client: Client, count: int) -> None:
    handles: list[Any] = [await start(client, queue=QUEUE) for _ in range(count)]
    await asyncio.gather(*(handle.result() for handle in handles))
