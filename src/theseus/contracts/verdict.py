"""Judgements of models about texts of models. Inner contract."""

from pydantic import BaseModel, ConfigDict, Field


class Verdict(BaseModel):
    """What the judge makes of a draft."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    score: float = Field(ge=0, le=1, description="How well the draft answers the task.")
    weak: list[str] = Field(default=[], description="Ids of the subtasks to be done again.")
    feedback: str = Field(default="", max_length=4000, description="What a better result has.")


class Critique(BaseModel):
    """What a critic makes of one agent's draft."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    score: float = Field(ge=0, le=1, description="1.0: nothing to mend.")
    feedback: str = Field(default="", max_length=4000, description="What to mend, and how.")


class Thoughts(BaseModel):
    """Different ways to go on with a problem, each with how promising it is."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    thoughts: list["Thought"] = Field(min_length=1, max_length=5)


class Thought(BaseModel):
    """One way to go on."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str = Field(min_length=1, max_length=4000, description="The next step of the reasoning.")
    promise: float = Field(ge=0, le=1, description="How likely it leads to the right answer.")
    is_final: bool = Field(default=False, description="Whether the text answers the problem.")
