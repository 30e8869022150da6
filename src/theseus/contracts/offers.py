"""What a worker offers to tasks, told to those who ask from outside. Inner contract."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from theseus.contracts.tools import ToolSpec


class Offer(BaseModel):
    """The tools of one worker, good until it is told again."""

    model_config = ConfigDict(frozen=True)

    tools: tuple[ToolSpec, ...]
    until: AwareDatetime
