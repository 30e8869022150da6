"""The agents of a task that are at work: they hear of pauses, and what they say to the task is kept here."""

import asyncio
from typing import Any

from pydantic import BaseModel
from temporalio import workflow

from theseus.contracts.agent import AgentReport
from theseus.contracts.control import SIGNAL_AGENT_SAYS, SIGNAL_AGENT_STOPPED, AgentMessage
from theseus.workflows.children import Child
from theseus.workflows.control import Control


class Crew:
    """Built in a workflow's constructor: it registers the signals that agents send to their task."""

    def __init__(self, control: Control) -> None:
        self._children: dict[str, Child] = {}
        self._stopped: dict[str, AgentReport] = {}
        self._mail: list[AgentMessage] = []
        self._seen: set[str] = set()
        self._started = 0
        control.forward_to(self._forward)
        workflow.set_signal_handler(SIGNAL_AGENT_STOPPED, self._agent_stopped)
        workflow.set_signal_handler(SIGNAL_AGENT_SAYS, self._agent_says)

    def next_agent(self) -> str:
        """The path of the next agent."""
        self._started += 1
        return f"agent/{self._started}"

    @property
    def started(self) -> int:
        """How many agents were started."""
        return self._started

    def count_from(self, started: int) -> None:
        """So many agents were started by an earlier run of the task."""
        self._started = started

    def adopt(self, agent: str, child: Child) -> None:
        """Takes in an agent that has started."""
        self._children[agent] = child

    def release(self, agent: str) -> AgentReport | None:
        """Lets go of an agent that has ended; gives what it told when it was cancelled."""
        self._children.pop(agent, None)
        return self._stopped.pop(agent, None)

    async def tell(self, agent: str, name: str, payload: BaseModel) -> bool:
        """Signals one agent; False when it is not at work."""
        child = self._children.get(agent)
        return child is not None and await child.signal(name, payload)

    def take_mail(self) -> list[AgentMessage]:
        """What agents said since the last call."""
        taken, self._mail = self._mail, []
        return taken

    @property
    def has_mail(self) -> bool:
        """Whether an agent said something that nobody has taken."""
        return bool(self._mail)

    async def _forward(self, name: str, payload: BaseModel) -> None:
        await asyncio.gather(*(child.signal(name, payload) for child in list(self._children.values())))

    def _agent_stopped(self, payload: Any = None) -> None:
        report = AgentReport.model_validate(payload)
        self._stopped[report.agent] = report

    def _agent_says(self, payload: Any = None) -> None:
        message = AgentMessage.model_validate(payload)
        if message.message_id not in self._seen:
            self._seen.add(message.message_id)
            self._mail.append(message)
