"""GET /api/v1/roles, skills, templates, tools: what tasks may name."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from theseus.gateway.backend import Behind
from theseus.gateway.callers import Calling
from theseus.gateway.refusals import Refusal
from theseus.gateway.wire.lists import (
    OneSkillAnswer,
    RoleAnswer,
    RolesAnswer,
    SkillAnswer,
    SkillLine,
    SkillsAnswer,
    TemplateAnswer,
    TemplateLine,
    TemplatesAnswer,
    ToolLine,
    ToolsAnswer,
    VersionsAnswer,
)
from theseus.roles.presets import PRESETS

router = APIRouter(prefix="/api/v1", tags=["lists"])

Name = Annotated[str, Path(max_length=200)]
Category = Annotated[str | None, Query(max_length=100)]


@router.get("/roles", response_model_exclude_none=True)
async def roles(caller: Calling) -> RolesAnswer:
    """What `context.role` may name."""
    caller.require("tasks:read")
    return RolesAnswer(roles=[RoleAnswer.of(role) for role in PRESETS.values()])


@router.get("/skills", response_model_exclude_none=True)
def skills(backend: Behind, caller: Calling, category: Category = None) -> SkillsAnswer:
    """What `skill` may name; the newest version of each."""
    caller.require("tasks:read")
    found = [SkillLine.of(skill) for skill in backend.offers.skills()]
    return SkillsAnswer(skills=[each for each in found if category is None or each.category == category])


@router.get("/skills/{name}", response_model_exclude_none=True)
def skill(name: Name, backend: Behind, caller: Calling) -> OneSkillAnswer:
    """One skill, by `name` or `name@version`."""
    caller.require("tasks:read")
    found = backend.offers.skill(name)
    if found is None:
        raise Refusal(404, "Skill not found")
    return OneSkillAnswer(skill=SkillAnswer.whole(found))


@router.get("/skills/{name}/versions")
def versions(name: Name, backend: Behind, caller: Calling) -> VersionsAnswer:
    """All versions of a skill, oldest first."""
    caller.require("tasks:read")
    found = backend.offers.versions(name)
    if not found:
        raise Refusal(404, "Skill not found")
    return VersionsAnswer(name=name, versions=found)


@router.get("/templates")
def templates(backend: Behind, caller: Calling) -> TemplatesAnswer:
    """What `context.template` may name."""
    caller.require("tasks:read")
    return TemplatesAnswer(templates=[TemplateLine.of(found) for found in backend.offers.templates()])


@router.get("/templates/{name}")
def template(name: Name, backend: Behind, caller: Calling) -> TemplateAnswer:
    """One template, by `name` or `name@version`."""
    caller.require("tasks:read")
    found = backend.offers.template(name)
    if found is None:
        raise Refusal(404, "Template not found")
    return TemplateAnswer.whole(found)


@router.get("/tools")
async def tools(backend: Behind, caller: Calling, category: Category = None) -> ToolsAnswer:
    """The tools that workers offer now, as far as the caller's tenant may use them."""
    caller.require("tasks:read")
    found = [ToolLine.of(spec) for spec in await backend.offers.tools(caller.tenant_id)]
    return ToolsAnswer(tools=[each for each in found if category is None or each.category == category])


@router.get("/tools/{name}")
async def tool(name: Name, backend: Behind, caller: Calling) -> ToolLine:
    """One of them."""
    caller.require("tasks:read")
    for spec in await backend.offers.tools(caller.tenant_id):
        if spec.name == name:
            return ToolLine.of(spec)
    raise Refusal(404, "Tool not found")
