"""What routes work with: built once when the gateway starts, and found through `Behind`."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from temporalio.client import Client

from theseus.activities.llm.catalogue import Catalogue
from theseus.config import Settings
from theseus.gateway.callers import Authenticator
from theseus.gateway.counting import Counts
from theseus.gateway.files import Files
from theseus.gateway.limits import MOST_ATTEMPTS, RequestLimit
from theseus.gateway.offers import Offers
from theseus.gateway.openai.calls import Calls
from theseus.gateway.openai.models import Models
from theseus.gateway.schedules import Schedules
from theseus.gateway.sessions import Sessions
from theseus.gateway.streams.endings import Endings
from theseus.gateway.streams.hub import Streams
from theseus.gateway.tasks import Tasks
from theseus.gateway.who.accounts import Accounts
from theseus.gateway.who.tokens import access_tokens
from theseus.stores.archive.port import Archive
from theseus.stores.files import Workspaces
from theseus.stores.ports import (
    AnswerStore,
    ArtifactStore,
    EventLog,
    MemoryStore,
    OfferStore,
    RequestStore,
    SessionStore,
)


@dataclass(frozen=True)
class Backend:
    """The world of the gateway."""

    settings: Settings
    temporal: Client
    archive: Archive
    events: EventLog
    sessions: SessionStore
    artifacts: ArtifactStore
    answers: AnswerStore
    memory: MemoryStore
    requests: RequestStore
    told: OfferStore
    authenticator: Authenticator

    @property
    def tasks(self) -> Tasks:
        """Tasks as callers see them."""
        return Tasks(self.temporal, self.archive, self.events, self.settings.task_queue, self.models.providers)

    @property
    def conversations(self) -> Sessions:
        """Sessions as their users see them; `sessions` is what tasks remember of them."""
        return Sessions(self.archive, self.sessions, self.events, self.tasks)

    @property
    def schedules(self) -> Schedules:
        """Schedules as callers see them."""
        return Schedules(self.temporal, self.archive, self.tasks, self.settings)

    @property
    def files(self) -> Files:
        """Files that callers may look at."""
        workspaces = Workspaces(self.settings.workspaces, self.settings.workspace_quota_bytes)
        return Files(workspaces, self.conversations, self.memory)

    @cached_property
    def limit(self) -> RequestLimit:
        """How much callers may ask."""
        return RequestLimit(self.requests, self.settings.rate_limit)

    @cached_property
    def attempts(self) -> RequestLimit:
        """How often somebody may try to get in."""
        return RequestLimit(self.requests, MOST_ATTEMPTS)

    @cached_property
    def accounts(self) -> Accounts:
        """Users and their keys."""
        return Accounts(self.archive.accounts, access_tokens(self.settings), is_open=self.settings.registration)

    @cached_property
    def counts(self) -> Counts:
        """What is counted of requests."""
        return Counts()

    @cached_property
    def offers(self) -> Offers:
        """What tasks may name."""
        return Offers(self.settings, self.told)

    @cached_property
    def streams(self) -> Streams:
        """The streams of all tasks that are watched here."""
        return Streams(self.events, Endings(self.temporal, self.archive))

    @cached_property
    def models(self) -> Models:
        """What OpenAI's clients may ask for."""
        return Models(Catalogue.load(self.settings.models_file, {}))

    @cached_property
    def calls(self) -> Calls:
        """The calls of OpenAI's clients."""
        return Calls(self.tasks, self.sessions, self.streams)


def _backend(connection: HTTPConnection) -> Backend:
    backend: Backend = connection.app.state.backend
    return backend


Behind = Annotated[Backend, Depends(_backend)]
"""The parameter by which a route gets at the world."""
