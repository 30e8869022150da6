"""A task that is asked where it stands from its first moment on can be taken over by any worker: its history replays."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from temporalio.service import RPCError
from temporalio.worker import Replayer

from tests.support.studies import RESEARCHER, plans, question, scopes
from tests.support.teams import finish, leads
from tests.support.world import Handle, World
from theseus import runtime, sandbox
from theseus.contracts.control import Progress
from theseus.workflows.registry import WORKFLOWS

LEADING = leads([finish("done")])
STUDYING = [
    scopes("bridge"),
    plans(question("bridge", "length")),
    {"when": {"system": RESEARCHER}, "reply": {"text": "nothing was found"}},
]


@pytest.mark.parametrize(
    ("workflow", "context", "rules"),
    [("SupervisorWorkflow", {"role": "writer"}, LEADING), ("ResearchWorkflow", {"force_research": True}, STUDYING)],
)
async def test_questions_from_the_beginning_on_do_not_tie_a_task_to_its_worker(
    there: World, workflow: str, context: dict[str, Any], rules: list[dict[str, Any]]
) -> None:
    there.model.replace({"rules": rules})
    replayer = Replayer(workflows=WORKFLOWS, data_converter=runtime.DATA_CONVERTER, workflow_runner=sandbox.runner())
    for _ in range(6):
        handle = await there.start("x", workflow=workflow, context=context)
        await asyncio.gather(*(asked(handle) for _ in range(3)))
        await there.result(handle)
        replayed = await replayer.replay_workflow(await handle.fetch_history(), raise_on_replay_failure=False)
        assert replayed.replay_failure is None, replayed.replay_failure


async def asked(handle: Handle) -> None:
    """Asks again as soon as there is an answer; a busy machine may owe one."""
    with contextlib.suppress(RPCError):
        for _ in range(8):
            progress: Progress = await handle.query("progress", result_type=Progress, rpc_timeout=timedelta(seconds=5))
            assert progress.phase
