"""A task's stream as the text of an event stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from theseus.gateway.streams.items import Item, Ping, Remark, Trouble
from theseus.gateway.wire.events import FAULT, comment, fault

PING = comment("ping")


async def lines(task_id: str, told: AsyncGenerator[list[Item]]) -> AsyncGenerator[bytes]:
    """The pieces to send, each of whole blocks."""
    yield comment(f"connected to {task_id}")
    async with aclosing(told):
        async for items in told:
            yield b"".join(_block(task_id, item) for item in items)


def _block(task_id: str, item: Item) -> bytes:
    match item:
        case Ping():
            return PING
        case Remark(text=text):
            return comment(text)
        case Trouble(message=message):
            return f"event: {FAULT}\ndata: {fault(task_id, message)}\n\n".encode("ascii")
        case frame:
            return frame.sse
