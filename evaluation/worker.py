"""The worker process that is killed: the product's own wiring, with the resolver that knows planted websites."""

import asyncio

from evaluation.site import resolve
from theseus import runtime, worker
from theseus.config import Settings, environment


async def main() -> None:
    """Works until it is killed."""
    settings = Settings()
    client = await runtime.connect()
    async with (
        worker.redis_stores(settings) as stores,
        worker.working(client, settings, stores, environment(), resolve=resolve),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
