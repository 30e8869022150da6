"""A skill: how one agent does a craft, written down in Markdown. What its file may say, and what a task records of it."""

from pydantic import Field, JsonValue, model_validator

from theseus.contracts.inner import Inner
from theseus.contracts.template import Name, Shape, Version

MOST_BODY_CHARS = 32_000


class SkillHead(Shape):
    """The front matter of a skill's file."""

    name: Name
    version: Version = "1.0.0"
    description: str = Field(default="", max_length=1024)
    author: str = Field(default="", max_length=200)
    category: str = Field(default="", max_length=100)
    license: str = Field(default="", max_length=200)
    requires_tools: tuple[str, ...] = Field(default=(), max_length=64, description="Granted beside those of its role.")
    requires_role: Name | None = Field(default=None, description="Absent: the task's role.")
    budget_max: int | None = Field(default=None, ge=256, le=1_000_000_000, description="Tokens of the whole task.")
    dangerous: bool = Field(default=False, description="A person has to say yes before it starts.")
    enabled: bool = True
    metadata: dict[str, JsonValue] = Field(default={}, description="For people and programs; nothing here reads it.")

    @model_validator(mode="after")
    def _danger_is_described(self) -> "SkillHead":
        if self.dangerous and not self.description.strip():
            raise ValueError("a dangerous skill has a description: it is what a person reads before saying yes")
        return self


class Skill(Inner):
    """A skill as a task records it; `body` is its agent's instructions."""

    head: SkillHead
    body: str = Field(min_length=1, max_length=MOST_BODY_CHARS)
    content_hash: str = ""

    @property
    def key(self) -> str:
        """`name@version`."""
        return f"{self.head.name}@{self.head.version}"


class LoadSkill(Inner):
    """Which skill a task asks for; `version` absent: the newest."""

    name: str
    version: str | None = None


class LoadedSkill(Inner):
    """The skill, recorded as it is now, or why there is none."""

    skill: Skill | None = None
    problem: str = ""
