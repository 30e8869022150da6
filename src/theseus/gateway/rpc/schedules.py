"""The schedule calls: known, and refused in words; who serves them has one row each to change in `methods.py`."""

from typing import NoReturn

from google.protobuf.message import Message

from theseus.gateway.refusals import Refusal
from theseus.gateway.rpc.call import Call


async def refused(asked: Message, call: Call) -> NoReturn:
    """Refuses to speak of schedules, to those who may call.

    Raises:
        Refusal: 501.
    """
    del asked, call
    raise Refusal(501, "schedules are not served over gRPC; use REST: /api/v1/schedules")
