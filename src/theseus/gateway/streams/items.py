"""What a reader of a stream is told, beside the events themselves."""

from dataclasses import dataclass

from theseus.gateway.wire.events import Frame


class GatewayStopping(Exception):
    """This process ends; the reader has to come back and go on where it was."""


class Ping:
    """Nothing to tell, and the stream goes on."""


@dataclass(frozen=True)
class Remark:
    """What people who look at the stream may want to know."""

    text: str


@dataclass(frozen=True)
class Trouble:
    """The stream cannot go on, and the task is none the worse for it; the last item."""

    message: str


Item = Frame | Ping | Remark | Trouble


def unreadable(task_id: str) -> Trouble:
    """The events cannot be read; why is for the log alone."""
    return Trouble(
        f"the task's events cannot be read now; the task itself is not touched: ask GET /api/v1/tasks/{task_id}, "
        "or come back with the last event's id"
    )
