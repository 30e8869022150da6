"""The modes: each names its phases in order. `BUILT` is the table of those that this version has."""

from collections.abc import Awaitable, Callable

from theseus.contracts.task import Mode
from theseus.workflows.modes.simple import simple
from theseus.workflows.run import Answer, Run

BUILT: dict[Mode, Callable[[Run], Awaitable[Answer]]] = {
    Mode.SIMPLE: simple,
}
