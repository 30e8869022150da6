"""What tasks may name, as far as the caller may: skills and templates of the folders, tools that workers offer now."""

import logging

from theseus.activities.library.documents import LibraryError
from theseus.activities.library.shelf import library_folders
from theseus.activities.library.skills import Skills
from theseus.activities.library.templates import Found, Templates
from theseus.activities.tools.allowance import Allowance
from theseus.config import Settings
from theseus.contracts.skill import Skill
from theseus.contracts.tools import ToolSpec
from theseus.domain.versions import named
from theseus.stores.ports import OfferStore

_log = logging.getLogger("theseus.gateway")


class Offers:
    """Lists for callers.

    Args:
        settings: where folders are, and which tenant may use which tools.
        told: what workers tell.
    """

    def __init__(self, settings: Settings, told: OfferStore) -> None:
        self._queue = settings.task_queue
        self._told = told
        self._skills = Skills(library_folders(settings.skills, "skills"))
        self._templates = Templates(library_folders(settings.templates, "templates"))
        self._allowance = Allowance.load(settings.tenant_tools)

    def skills(self) -> list[Skill]:
        """The newest version of each that can be used; reads files."""
        names = sorted({named(key)[0] for key in self._skills.names()})
        return [skill for name in names if (skill := self.skill(name)) is not None]

    def skill(self, name: str) -> Skill | None:
        """One, by `name` or `name@version`; None where there is none that can be used."""
        try:
            return self._skills.find(*named(name))
        except LibraryError:
            return None

    def versions(self, name: str) -> list[str]:
        """All versions of a skill, oldest first."""
        return [version or "" for each, version in map(named, self._skills.names()) if each == name]

    def templates(self) -> list[Found]:
        """All versions of all templates that can be used, by name; reads files."""
        return [found for name in self._templates.names() if (found := self.template(name)) is not None]

    def template(self, name: str) -> Found | None:
        """The one that a task gets by `name` or `name@version`; None where there is none that can be used."""
        try:
            return self._templates.find(*named(name))
        except LibraryError as error:
            _log.warning("a template cannot be used: %s", error)
            return None

    async def tools(self, tenant_id: str) -> list[ToolSpec]:
        """The tools that some worker offers now and the tenant may use, by name.

        Raises:
            StoreDownError: nobody can say.
        """
        found = {spec.name: spec for offer in await self._told.of(self._queue) for spec in offer.tools}
        return [found[name] for name in sorted(found) if self._allowance.allows(tenant_id, name)]
