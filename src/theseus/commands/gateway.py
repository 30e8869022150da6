"""`theseus gateway`: REST, and gRPC where it is asked for, in front of the workers."""

import asyncio
import signal

from theseus import logs
from theseus.activities.llm.catalogue import CatalogueError
from theseus.activities.tools.declarations import ToolFileError
from theseus.commands.terminal import CANNOT_START, CommandError
from theseus.config import Settings
from theseus.stores.archive.port import UnfitArchiveError


async def serve(settings: Settings, host: str, port: int, grpc_port: int | None = None) -> None:
    """Serves until SIGTERM or Ctrl-C.

    Raises:
        CommandError: the gateway's libraries are not installed, or it cannot start.
    """
    try:
        from theseus.gateway import serving
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the gateway needs {error.name}: pip install 'theseus-worker[gateway]'", CANNOT_START
        ) from error
    logs.set_up(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    try:
        await serving.serve(settings, host, port, stop=stop, grpc_port=grpc_port)
    except (CatalogueError, ToolFileError) as error:
        raise CommandError(str(error), CANNOT_START) from error
    except UnfitArchiveError as error:
        raise CommandError(f"DATABASE_URL: {error}", CANNOT_START) from error
