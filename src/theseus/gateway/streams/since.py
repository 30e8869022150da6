"""Where a reader goes on: after a stream id, or after an event's number."""

from dataclasses import dataclass

from theseus.contracts.events import StoredEvent
from theseus.gateway.refusals import Refusal
from theseus.stores.rules import position


@dataclass(frozen=True)
class Since:
    """What a reader has seen: all up to a stream id (`place`), or all up to the event with a number (`seq`)."""

    place: tuple[int, int] = (0, 0)
    seq: int = 0

    @classmethod
    def of(cls, text: str | None) -> "Since":
        """From a `Last-Event-ID`: a stream id such as 1767312000000-0, or the number of an event.

        Raises:
            Refusal: 400, it is neither.
        """
        given = (text or "").strip()
        if not given:
            return cls()
        try:
            place = position(given)
        except ValueError as error:
            raise Refusal(400, f"last_event_id: {error}"[:300]) from error
        return cls(place=place) if "-" in given else cls(seq=place[0])

    @property
    def numbered(self) -> int | None:
        """The number of the last event that was seen; None when only its place is known."""
        return None if self.place > (0, 0) else self.seq

    def has(self, stored: StoredEvent) -> bool:
        """Whether the reader has seen this event."""
        seen = bool(stored.stream_id) and position(stored.stream_id) <= self.place
        return seen or 0 < stored.seq <= self.seq
