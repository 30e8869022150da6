"""Answers about what tasks may name: roles, skills, templates, tools."""

from typing import Any

from pydantic import BaseModel, JsonValue

from theseus.activities.library.templates import Found
from theseus.contracts.skill import Skill
from theseus.contracts.tools import ToolSpec
from theseus.roles.role import Plain


class RoleAnswer(BaseModel):
    """A role; `tools` names its tools, `*` is all that a worker has."""

    name: str
    description: str
    tier: str
    tools: list[str]
    temperature: float | None = None
    max_output_tokens: int
    needs_adapter: bool

    @classmethod
    def of(cls, role: Plain) -> "RoleAnswer":
        """From the preset."""
        return cls(
            name=role.name,
            description=role.instructions.strip().partition("\n")[0],
            tier=role.tier,
            tools=list(role.tools),
            temperature=role.temperature,
            max_output_tokens=role.max_output_tokens,
            needs_adapter=role.vendor_tools is not None,
        )


class SkillLine(BaseModel):
    """A skill, without its text."""

    name: str
    version: str
    category: str
    description: str
    requires_tools: list[str]
    requires_role: str | None = None
    dangerous: bool
    enabled: bool

    @classmethod
    def of(cls, skill: Skill) -> "SkillLine":
        """From the file."""
        return cls(
            **{name: getattr(skill.head, name) for name in cls.model_fields if name != "requires_tools"},
            requires_tools=list(skill.head.requires_tools),
        )


class SkillAnswer(SkillLine):
    """A whole skill; `content` is its agent's instructions."""

    budget_max: int | None = None
    author: str = ""
    license: str = ""
    content: str
    content_hash: str

    @classmethod
    def whole(cls, skill: Skill) -> "SkillAnswer":
        """From the file."""
        head = skill.head
        return cls(
            **SkillLine.of(skill).model_dump(),
            budget_max=head.budget_max,
            author=head.author,
            license=head.license,
            content=skill.body,
            content_hash=skill.content_hash,
        )


class TemplateLine(BaseModel):
    """A template, without its nodes."""

    name: str
    version: str
    description: str
    content_hash: str

    @classmethod
    def of(cls, found: Found) -> "TemplateLine":
        """From the file."""
        made = found.template
        return cls(name=made.name, version=made.version, description=made.description, content_hash=found.content_hash)


class TemplateAnswer(TemplateLine):
    """A whole template, with all that it extends."""

    parameters: dict[str, JsonValue]
    template: dict[str, Any]

    @classmethod
    def whole(cls, found: Found) -> "TemplateAnswer":
        """From the file."""
        made = found.template.model_dump(mode="json", by_alias=True, exclude_none=True)
        return cls(**TemplateLine.of(found).model_dump(), parameters=made.get("parameters", {}), template=made)


class ToolLine(BaseModel):
    """A tool that workers offer now, as a model sees it; `category` is what a call changes: read, idempotent, write."""

    name: str
    description: str
    parameters: dict[str, JsonValue]
    category: str
    timeout_seconds: float

    @classmethod
    def of(cls, spec: ToolSpec) -> "ToolLine":
        """From the worker's."""
        return cls(
            name=spec.name,
            description=spec.description,
            parameters=spec.parameters,
            category=spec.effect,
            timeout_seconds=spec.timeout.total_seconds(),
        )


class RolesAnswer(BaseModel):
    """All roles that `context.role` may name."""

    roles: list[RoleAnswer]


class SkillsAnswer(BaseModel):
    """The newest version of each skill."""

    skills: list[SkillLine]


class OneSkillAnswer(BaseModel):
    """One skill."""

    skill: SkillAnswer


class VersionsAnswer(BaseModel):
    """All versions of a skill or template."""

    name: str
    versions: list[str]


class TemplatesAnswer(BaseModel):
    """All templates that can be used."""

    templates: list[TemplateLine]


class ToolsAnswer(BaseModel):
    """The tools that workers offer now and the caller's tenant may use."""

    tools: list[ToolLine]
