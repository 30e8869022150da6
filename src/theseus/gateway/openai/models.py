"""The models of the OpenAI API: our modes by name, and the models of the catalogue, each of which answers in simple mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import JsonValue

from theseus.activities.llm.catalogue import Catalogue
from theseus.contracts.task import Mode, ResearchStrategy
from theseus.gateway.refusals import Refusal

OWNER = "theseus"
DEFAULT = "theseus-chat"
ALIAS = "shannon-"


@dataclass(frozen=True)
class Served:
    """A model as callers name it; `task` and `context` are what it means in a task.

    `is_live`: the text that the task's own agent writes is its answer, so it is told as it comes. The other modes
    may write an answer anew, so theirs is told when it is final.
    """

    id: str
    owner: str
    about: str
    task: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    context: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    is_live: bool = False


def _mode(name: str, mode: Mode, about: str, *, is_live: bool = False) -> Served:
    return Served(f"theseus-{name}", OWNER, about, task={"mode": mode.value}, is_live=is_live)


def _research(strategy: ResearchStrategy, about: str) -> Served:
    return Served(
        f"theseus-{strategy.value}-research",
        OWNER,
        about,
        task={"research_strategy": strategy.value},
        context={"force_research": True},
    )


MODES = (
    _mode("chat", Mode.SIMPLE, "One agent answers, with tools where it needs them.", is_live=True),
    _mode("standard", Mode.STANDARD, "A plan, agents that work side by side, one answer.", is_live=True),
    _mode("complex", Mode.COMPLEX, "A plan whose parts build on each other, looked over before it is told."),
    _mode("supervisor", Mode.SUPERVISOR, "A lead that recruits a team and decides as it goes."),
    _research(ResearchStrategy.QUICK, "Research in the web, brief, with sources."),
    _research(ResearchStrategy.STANDARD, "Research in the web, with sources."),
    _research(ResearchStrategy.DEEP, "Research in the web, in several rounds, with sources."),
)


class Models:
    """What can be asked for. A model of the catalogue may be without a key where the workers run; its task says so then.

    Args:
        catalogue: the models; only their names are looked at.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.providers = catalogue.providers
        self._ours = {served.id: served for served in MODES}
        self._listed: dict[str, Served] = {}
        for entry in catalogue.models:
            about = f"The model itself, by {entry.provider}: one agent, with tools where it needs them."
            self._listed.setdefault(entry.model, _real(entry.model, entry.provider, about, model=entry.model))

    @property
    def all(self) -> list[Served]:
        """Ours, then those of the catalogue."""
        return [*self._ours.values(), *self._listed.values()]

    def named(self, name: str) -> Served:
        """The model of this name, of a `shannon-` name, or of `provider/model`, which the catalogue need not list.

        Raises:
            Refusal: 404, there is none.
        """
        own = f"theseus-{name.removeprefix(ALIAS)}" if name.startswith(ALIAS) else name
        found = self._ours.get(own) or self._listed.get(name)
        provider, _, model = name.partition("/")
        if found is None and model and provider in self.providers:
            found = _real(name, provider, f"{model} by {provider}.", model=model, provider_override=provider)
        if found is None:
            raise Refusal(
                404,
                f"The model {name[:200]!r} does not exist; GET /v1/models lists those that do",
                code="model_not_found",
                param="model",
            )
        return found


def _real(name: str, owner: str, about: str, *, model: str, provider_override: str | None = None) -> Served:
    task: dict[str, JsonValue] = {"mode": Mode.SIMPLE.value, "model_override": model}
    if provider_override is not None:
        task["provider_override"] = provider_override
    return Served(name, owner, about, task=task, is_live=True)
