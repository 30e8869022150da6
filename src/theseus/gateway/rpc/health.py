"""grpc.health.v1: the process answers under no name; the service is serving while Temporal answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from grpc_health.v1 import health, health_pb2

from theseus.gateway.backend import Backend
from theseus.gateway.routes.health import OK, temporal_says

PERIOD = timedelta(seconds=5)


class Health:
    """Keeps the health service up to date.

    Args:
        backend: whose Temporal is asked.
        service: the name that its answer stands under.
    """

    def __init__(self, backend: Backend, service: str) -> None:
        self.servicer: Any = health.aio.HealthServicer()  # pyright: ignore[reportAttributeAccessIssue] - hidden from it
        self._backend = backend
        self._service = service

    @asynccontextmanager
    async def watched(self, period: timedelta = PERIOD) -> AsyncGenerator[None]:
        """Asks while the context is open; until Temporal has answered, the service is not serving."""
        await self._tell(is_well=False)
        asking = asyncio.create_task(self._keep_asking(period))
        try:
            yield
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking

    async def _keep_asking(self, period: timedelta) -> None:
        while True:
            await self._tell(is_well=await temporal_says(self._backend.temporal) == OK)
            await asyncio.sleep(period.total_seconds())

    async def _tell(self, *, is_well: bool) -> None:
        states = health_pb2.HealthCheckResponse
        await self.servicer.set(self._service, states.SERVING if is_well else states.NOT_SERVING)
