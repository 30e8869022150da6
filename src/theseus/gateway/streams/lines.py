"""A task's stream as the text of an event stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from theseus.gateway.streams.hub import Item, Ping, Remark, Trouble
from theseus.gateway.wire.events import FAULT, comment, fault

PING = comment("ping")


async def lines(task_id: str, items: AsyncGenerator[Item]) -> AsyncGenerator[bytes]:
    """The pieces to send, each a whole block."""
    yield comment(f"connected to {task_id}")
    async with aclosing(items):
        async for item in items:
            match item:
                case Ping():
                    yield PING
                case Remark(text=text):
                    yield comment(text)
                case Trouble(message=message):
                    yield f"event: {FAULT}\ndata: {fault(task_id, message)}\n\n".encode("ascii")
                case frame:
                    yield frame.sse
