"""The activities of the library: what a task runs is read once and recorded; its texts are filled in."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.activities.library.documents import LibraryError
from theseus.activities.library.rendering import Rendering, RenderingError
from theseus.activities.library.skills import Skills
from theseus.activities.library.templates import Templates, unusable
from theseus.contracts.errors import ErrorType
from theseus.contracts.skill import LoadedSkill, LoadSkill
from theseus.contracts.template import LoadedTemplate, LoadTemplate, Rendered, RenderRequest
from theseus.contracts.tools import RESEARCH_ONLY, SEND_MESSAGE, ToolFacts
from theseus.roles.role import Plain

_log = logging.getLogger("theseus.library")

_NOT_OF_NODES = RESEARCH_ONLY | {SEND_MESSAGE}
"""Tools that make sense in a team or a research alone."""


class LibraryActivities:
    """Templates and skills, for the workflows that run them.

    Args:
        templates: their files.
        skills: their files.
        rendering: fills in texts.
        tools: gives the tools that a tenant may use.
        roles: the roles that a node may name.
        falls_back: whether a task whose template is unknown may go on without it.
    """

    def __init__(
        self,
        templates: Templates,
        skills: Skills,
        rendering: Rendering,
        tools: Callable[[str], Sequence[ToolFacts]],
        roles: Mapping[str, Plain],
        *,
        falls_back: bool,
    ) -> None:
        self._templates = templates
        self._skills = skills
        self._rendering = rendering
        self._tools = tools
        self._roles = roles
        self._falls_back = falls_back
        self._looked_at: tuple[object, object] | None = None

    def look(self) -> None:
        """Says in the log what of the files cannot be used, again whenever they have changed."""
        seen = (self._templates.contents, self._skills.contents)
        if self._looked_at is not None and all(one is other for one, other in zip(seen, self._looked_at, strict=True)):
            return
        self._looked_at = seen
        for problem in (*self._templates.problems(), *self._skills.contents.problems):
            _log.warning("a template or skill cannot be used: %s", problem)

    @activity.defn(name="template.load")
    async def load(self, request: LoadTemplate) -> LoadedTemplate:
        """The template that a task asks for, checked against the tools of its tenant; a problem is a value."""
        return await asyncio.to_thread(self._load, request)

    @activity.defn(name="skill.load")
    async def load_skill(self, request: LoadSkill) -> LoadedSkill:
        """The skill that a task asks for; a problem is a value."""
        return await asyncio.to_thread(self._load_skill, request)

    @activity.defn(name="template.render")
    async def render(self, request: RenderRequest) -> Rendered:
        """Texts, filled in; one that cannot be is told by its id."""
        try:
            return await self._rendering.render(request, activity.info().workflow_run_id or "")
        except RenderingError as error:
            raise ApplicationError(str(error), type=ErrorType.INTERNAL) from error

    def _load_skill(self, request: LoadSkill) -> LoadedSkill:
        self.look()
        try:
            skill = self._skills.find(request.name, request.version)
        except LibraryError as error:
            return LoadedSkill(problem=str(error))
        wanted = request.name if request.version is None else f"{request.name}@{request.version}"
        if skill is not None and not skill.head.enabled:
            return LoadedSkill(problem=f"the skill {skill.key} is switched off (enabled: false)")
        if skill is None:
            known = ", ".join(self._skills.names()) or "none"
            unread = _unread(self._skills.contents.problems, "skills")
            return LoadedSkill(problem=f"there is no skill {wanted!r}; skills: {known}"[:2000] + unread)
        return LoadedSkill(skill=skill)

    def _load(self, request: LoadTemplate) -> LoadedTemplate:
        self.look()
        try:
            found = self._templates.find(request.name, request.version)
        except LibraryError as error:
            return LoadedTemplate(problem=str(error), falls_back=self._falls_back)
        if found is None:
            known = ", ".join(self._templates.names()) or "none"
            wanted = request.name if request.version is None else f"{request.name}@{request.version}"
            unread = _unread(self._templates.contents.problems, "templates")
            problem = f"there is no template {wanted!r}; templates: {known}"[:2000] + unread
            return LoadedTemplate(problem=problem, is_unknown=True, falls_back=self._falls_back)
        there = self._tools(request.tenant_id)
        tools = {tool.name: tool.effect for tool in there if tool.name not in _NOT_OF_NODES}
        unserved = [name for name, role in self._roles.items() if not role.can_work_with(there)]
        problem = unusable(found, tools, self._roles, unserved)
        if problem:
            return LoadedTemplate(problem=problem, falls_back=self._falls_back)
        return LoadedTemplate(template=found.template, content_hash=found.content_hash, falls_back=self._falls_back)


def _unread(problems: Sequence[str], what: str) -> str:
    """That there are files which cannot be used; what is wrong with them is for the operator."""
    if not problems:
        return ""
    return f"; {len(problems)} of their files cannot be used: `theseus {what} validate` says why"
