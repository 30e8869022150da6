"""Activities on sessions: load, append, keep a summary."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.contracts.errors import ErrorType
from theseus.contracts.session import LoadSession, SaveSummary, SessionView, Turn
from theseus.domain.redaction import redact
from theseus.domain.tokens import estimate
from theseus.stores.ports import SessionStore, StoreDownError


class SessionActivities:
    """What workflows do with sessions. A store that is down is a failure that Temporal retries."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    @activity.defn(name="session.load")
    async def load(self, request: LoadSession) -> SessionView:
        """Heads of the session's last messages, and its summary; empty for an unknown session."""
        try:
            return await self._sessions.load(request.key, request.last)
        except StoreDownError as error:
            raise _down("the session could not be loaded", error) from error

    @activity.defn(name="session.append")
    async def append(self, turn: Turn) -> bool:
        """Adds the turn, once per task id; False when an earlier attempt already did."""
        try:
            return await self._sessions.append(turn)
        except StoreDownError as error:
            raise _down("the turn could not be added to the session", error) from error

    @activity.defn(name="session.save_summary")
    async def save_summary(self, save: SaveSummary) -> None:
        """Keeps the summary without personal data; an older one never replaces a newer."""
        text = redact(save.summary.text)
        summary = save.summary
        if text != summary.text:
            summary = summary.model_copy(update={"text": text, "tokens": estimate(text)})
        try:
            await self._sessions.save_summary(save.key, summary)
        except StoreDownError as error:
            raise _down("the session's summary could not be kept", error) from error


def _down(what: str, error: StoreDownError) -> ApplicationError:
    return ApplicationError(f"{what}: {error}", type=ErrorType.STORE_DOWN)
