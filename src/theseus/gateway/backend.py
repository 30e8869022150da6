"""What routes work with: built once when the gateway starts, and found through `Behind`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from temporalio.client import Client

from theseus.config import Settings
from theseus.gateway.callers import Authenticator
from theseus.gateway.files import Files
from theseus.gateway.schedules import Schedules
from theseus.gateway.sessions import Sessions
from theseus.gateway.tasks import Tasks
from theseus.stores.archive.port import Archive
from theseus.stores.files import Workspaces
from theseus.stores.ports import ArtifactStore, EventLog, MemoryStore, SessionStore


@dataclass(frozen=True)
class Backend:
    """The world of the gateway."""

    settings: Settings
    temporal: Client
    archive: Archive
    events: EventLog
    sessions: SessionStore
    artifacts: ArtifactStore
    memory: MemoryStore
    authenticator: Authenticator

    @property
    def tasks(self) -> Tasks:
        """Tasks as callers see them."""
        return Tasks(self.temporal, self.archive, self.settings.task_queue)

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


def _backend(connection: HTTPConnection) -> Backend:
    backend: Backend = connection.app.state.backend
    return backend


Behind = Annotated[Backend, Depends(_backend)]
"""The parameter by which a route gets at the world."""
