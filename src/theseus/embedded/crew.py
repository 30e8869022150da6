"""The workers of `theseus dev`: started, started again when one dies, stopped."""

import asyncio
import sys
from collections.abc import Callable, Mapping

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from theseus.embedded.processes import Child, StartError

WRONG_SETTING = 2
"""Exit code of a worker that cannot run whatever one does; starting it again would not help."""
_WAIT_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
_STEADY_SECONDS = 30


class Crew:
    """A number of worker processes.

    Args:
        size: how many.
        env: their environment.
        say: shows a line to the person at the terminal.
        changed: called after a worker was started again.
    """

    def __init__(
        self, size: int, env: Mapping[str, str], say: Callable[[str], None], changed: Callable[[], None]
    ) -> None:
        self._size = size
        self._env = env
        self._say = say
        self._changed = changed
        self._workers: dict[int, Child] = {}
        self._polling = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers now."""
        return [child.pid for _, child in sorted(self._workers.items())]

    async def work(self) -> None:
        """Keeps all workers running until cancelled.

        Raises:
            StartError: a worker says that its settings are wrong.
        """
        keepers = [asyncio.create_task(self._keep(number)) for number in range(1, self._size + 1)]
        try:
            await asyncio.gather(asyncio.Event().wait(), *keepers)
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def until_polling(self, client: Client, task_queue: str, seconds: float) -> None:
        """Waits until every worker takes tasks.

        Raises:
            StartError: it took too long.
        """
        try:
            async with asyncio.timeout(seconds):
                while not await self._all_poll(client, task_queue):  # noqa: ASYNC110 - only the server knows
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise StartError(f"no worker took tasks within {seconds:g} s; what it said is above") from error
        self._polling = True

    async def stop(self, grace_seconds: float) -> None:
        """Ends all workers."""
        await asyncio.gather(*(child.stop(grace_seconds) for child in self._workers.values()))

    async def _all_poll(self, client: Client, task_queue: str) -> bool:
        return len(self.pids) == self._size and set(self.pids) <= await _pollers(client, task_queue)

    async def _keep(self, number: int) -> None:
        quick_ends = 0
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            child = await Child.start(f"worker {number}", [sys.executable, "-m", "theseus.worker"], self._env, None)
            again = number in self._workers
            self._workers[number] = child
            if again and self._polling:
                self._changed()
            code = await child.ended()
            if code == WRONG_SETTING:
                raise StartError(f"worker {number} cannot run (exit {code}); what it said is above")
            quick_ends = 0 if clock() - began > _STEADY_SECONDS else quick_ends + 1
            wait = _WAIT_SECONDS[min(quick_ends - 1, len(_WAIT_SECONDS) - 1)] if quick_ends else 0.0
            self._say(f"worker {number} ended (exit {code}); it is started again{f' in {wait:g} s' if wait else ''}")
            await asyncio.sleep(wait)


async def _pollers(client: Client, task_queue: str) -> set[int]:
    """Process ids that poll the queue for both workflow and activity tasks."""
    found: list[set[int]] = []
    for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
        try:
            answer = await client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(
                    namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
                )
            )
        except RPCError:
            return set()
        found.append({int(poller.identity.partition("@")[0]) for poller in answer.pollers if _ours(poller.identity)})
    return found[0] & found[1]


def _ours(identity: str) -> bool:
    return identity.partition("@")[0].isdigit()
