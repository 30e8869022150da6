"""What the lead of a team may do, and what it is told. Inner contract."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LEAD = "lead"
"""Name under which agents write to their lead."""

Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class Action(BaseModel):
    """Base of the lead's actions."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Recruit(Action):
    """Takes a new agent into the team."""

    kind: Literal["recruit"] = "recruit"
    name: Name
    role: str


class Assign(Action):
    """Gives work to an agent of the team."""

    kind: Literal["assign"] = "assign"
    agent: Name
    task: str = Field(min_length=1, max_length=4000, description="All that the agent needs to know.")


class Tell(Action):
    """Sends words to an agent that is at work."""

    kind: Literal["message"] = "message"
    to: Name
    text: str = Field(min_length=1, max_length=4000)


class Retire(Action):
    """Takes an agent out of the team; what it is at is stopped."""

    kind: Literal["retire"] = "retire"
    agent: Name


class Wait(Action):
    """Nothing to do until something happens."""

    kind: Literal["wait"] = "wait"


class AskHuman(Action):
    """Asks the user of the task; the answer comes as an event."""

    kind: Literal["ask_human"] = "ask_human"
    question: str = Field(min_length=1, max_length=2000)


class Finish(Action):
    """Ends the task. Without an answer, one is written from the results."""

    kind: Literal["finish"] = "finish"
    answer: str = Field(default="", max_length=60_000)


AnyAction = Annotated[Recruit | Assign | Tell | Retire | Wait | AskHuman | Finish, Field(discriminator="kind")]


class Decision(BaseModel):
    """What the lead answers with: why, and what is done now, in order."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    thought: str = Field(default="", max_length=2000)
    actions: list[AnyAction] = Field(min_length=1, max_length=12)


class Member(BaseModel):
    """One agent of the team."""

    name: str
    role: str
    state: Literal["idle", "working", "failed", "retired"] = "idle"
    agent_id: str = ""


class Finding(BaseModel):
    """What one assignment brought: `text` is its result, or, where `error` is set, what was found before."""

    agent_id: str
    name: str
    task: str
    text: str = ""
    error: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether there is a result."""
        return bool(self.text.strip()) and not self.error
