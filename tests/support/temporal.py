"""Temporal servers for tests: the real dev server with the flag set of `theseus dev`, and the time-skipping one."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from theseus import runtime
from theseus.embedded.temporal import FLAGS

BIN = Path(sys.executable).parent


@asynccontextmanager
async def dev_server(*more: str) -> AsyncGenerator[WorkflowEnvironment, None]:
    """A dev server in memory, with our search attributes; `more` are arguments of its own."""
    async with await WorkflowEnvironment.start_local(
        data_converter=runtime.DATA_CONVERTER,
        dev_server_existing_path=str(BIN / "temporal"),
        dev_server_extra_args=[*FLAGS, *more],
        dev_server_log_level="error",
    ) as env:
        missing = await runtime.ensure_search_attributes(env.client)
        assert not missing, missing
        yield env


@asynccontextmanager
async def time_skipping() -> AsyncGenerator[WorkflowEnvironment, None]:
    """The time-skipping server: hours pass in milliseconds while nothing runs."""
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=runtime.DATA_CONVERTER,
        test_server_existing_path=str(BIN / "temporal-test-server"),
    ) as env:
        await runtime.ensure_search_attributes(env.client)
        yield env
