"""What a mode ends with, and how an agent says that it has to go on in a new history."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from theseus.contracts.carried import TeamState
from theseus.contracts.messages import Message
from theseus.contracts.research import ResearchState
from theseus.contracts.template import TemplateState


class Overlong(Exception):
    """An agent's history is long enough; `carried` is what it takes along."""

    def __init__(
        self, messages: Sequence[Message], turns: int, tool_calls: int, calls: Sequence[str], fruitless: int = 0
    ) -> None:
        super().__init__("to be continued")
        self.messages = tuple(messages)
        self.turns = turns
        self.tool_calls = tool_calls
        self.calls = tuple(calls)
        self.fruitless = fruitless


class OverlongTask(Exception):
    """A task's history is long enough and nobody is at work; what its next run needs is here, by mode."""

    def __init__(
        self,
        team: TeamState | None = None,
        research: ResearchState | None = None,
        template: TemplateState | None = None,
    ) -> None:
        super().__init__("to be continued")
        self.team = team or TeamState()
        self.research = research
        self.template = template


@dataclass
class Answer:
    """What a mode ends with. `gaps` names what is missing in it, a line each."""

    text: str
    stop_reason: str = "answer"
    budget_exhausted: bool = False
    gaps: Sequence[str] = ()
    metadata: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass
class Outcome:
    """What one agent ended with. `stop_reason` is answer, max_iterations, loop or budget."""

    text: str
    stop_reason: str
    turns: int = 1
    tool_calls: int = 0
    cut_short: bool = False
    compiled: bool = False
    """The model gave no words of its own at the end: the text is what was found before."""
