"""What every implementation of a port does alike: names and owners of what is kept, and what is refused."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from theseus.contracts.memory import Fact, Owner
from theseus.contracts.session import SessionKey, SessionMessage, Turn

MAX_ARTIFACT_BYTES = 64 * 1024 * 1024
"""Largest artifact, as UTF-8."""

TASKS_REMEMBERED = 10_000
"""So many of a session's last task ids are kept, to know a turn that was added before."""

MARKS_KEPT = 20_000
"""So many of the last things that happened to a user's memory are kept, to know what was added and forgotten before."""

PLACE_GRACE = timedelta(minutes=1)
"""A place in the line of a bucket is kept for so long after its turn has come."""

_SLICE = 1 << 20
_POSITION = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?", re.ASCII)
_LARGEST = 2**64 - 2


def session_path(key: SessionKey) -> tuple[str, ...]:
    """A session's full name: the same session id of another user is another session."""
    return (key.tenant_id, key.user_id, key.session_id)


def messages_of(turn: Turn, at: datetime) -> tuple[SessionMessage, SessionMessage]:
    """A turn as the two messages that are kept of it; the store numbers them."""
    return (
        SessionMessage(role="user", text=turn.user_text, tokens=turn.user_tokens, task_id=turn.task_id, at=at),
        SessionMessage(role="assistant", text=turn.answer_text, tokens=turn.answer_tokens, task_id=turn.task_id, at=at),
    )


def owner_of(key: SessionKey) -> tuple[str, ...]:
    """Who owns what a session made: its user; where nobody is named, the session alone."""
    if key.user_id:
        return ("user", key.tenant_id, key.user_id)
    return ("session", key.tenant_id, key.session_id)


def memory_path(owner: Owner) -> tuple[str, ...]:
    """The full name of a user's memory.

    Raises:
        ValueError: no user is named; what nobody owns is not kept.
    """
    if not owner.user_id:
        raise ValueError("memory belongs to a user: name one")
    return (owner.tenant_id, owner.user_id)


def in_order(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts in the order in which they were told."""
    return tuple(sorted(facts, key=lambda fact: (fact.at, fact.task_id, fact.n)))


def artifact_id(text: str) -> str:
    """The id of a text, made from its content: 32 hexadecimal digits.

    Raises:
        ValueError: the text is larger than MAX_ARTIFACT_BYTES.
    """
    digest = hashlib.sha256()
    size = 0
    for start in range(0, len(text), _SLICE):
        part = encode(text[start : start + _SLICE])
        size += len(part)
        if size > MAX_ARTIFACT_BYTES:
            raise ValueError(
                f"an artifact holds at most {MAX_ARTIFACT_BYTES} bytes, but this text of {len(text)} characters is "
                f"larger: keep a part of it"
            )
        digest.update(part)
    return digest.hexdigest()[:32]


def check_page(offset: int, limit: int) -> None:
    """Refuses a page that cannot be.

    Raises:
        ValueError: offset is below 0 or limit below 1.
    """
    if offset < 0 or limit < 1:
        raise ValueError(f"offset must be 0 or more and limit 1 or more, but they are {offset} and {limit}")


def check_part(part: int, parts: int) -> None:
    """Refuses a slice that cannot be.

    Raises:
        ValueError: `part` does not lie in 0..parts-1.
    """
    if not 0 <= part < parts:
        raise ValueError(f"part {part} is not one of {parts} parts, which count from 0")


def position(stream_id: str) -> tuple[int, int]:
    """A stream id ("0", "17-3") as numbers that compare.

    Raises:
        ValueError: it is not a stream id.
    """
    found = _POSITION.fullmatch(stream_id)
    numbers = (int(found.group(1)), int(found.group(2) or 0)) if found is not None else (-1, -1)
    if not 0 <= min(numbers) <= max(numbers) <= _LARGEST:
        raise ValueError(f"'{stream_id}' is not an event's stream_id: give one that was read before, or 0 for all")
    return numbers


def just_before(place: tuple[int, int]) -> str:
    """The stream id after which a read begins with this place; it is not that of the first event."""
    first, second = place
    return f"{first}-{second - 1}" if second else f"{first - 1}-{_LARGEST}"


def encode(text: str) -> bytes:
    """UTF-8 that also takes the half characters (lone surrogates) which tools and models produce."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The inverse of `encode`."""
    return data.decode("utf-8", "surrogatepass")
