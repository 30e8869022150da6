"""How commands speak: results on stdout, everything else on stderr, and one error that carries its exit code."""

import sys

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from theseus import runtime
from theseus.commands.patience import PATIENCE, Patient

BAD_TASK = 1
CANNOT_START = 2
CANCELLED = 130
# a call whose time is over is cancelled, as the SDK tells it
_UNANSWERED = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


class CommandError(Exception):
    """Ends the command with one line and an exit code."""

    def __init__(self, message: str, exit_code: int = BAD_TASK) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def out(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


async def client() -> Client:
    """A client of the Temporal that the environment names; no call of it waits long for an answer.

    Raises:
        ConnectionError: nothing answers there.
    """
    return await runtime.connect(patience=PATIENCE, interceptors=[Patient()])


def explained(error: RPCError, address: str | None = None) -> CommandError:
    """What a failed call to Temporal means to a person."""
    where = f" at {address}" if address else ""
    if error.status in _UNANSWERED:
        return CommandError(
            f"Temporal{where} does not answer ({error.message}); see its log, or start it again", CANNOT_START
        )
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return CommandError(f"Temporal{where} refuses us ({error.message}); see TEMPORAL_API_KEY", CANNOT_START)
    return CommandError(f"Temporal{where} says: {error.message}")
