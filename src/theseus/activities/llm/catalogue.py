"""The catalogue: which models there are, who serves them, what they cost, which of them can be used now."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from theseus.contracts.facts import ModelCard
from theseus.contracts.messages import Route
from theseus.contracts.rates import RateLimits
from theseus.contracts.task import ModelTier

ROUTES_OF_A_TIER = 4
"""Models recorded per tier: enough to fail over, few enough for every history."""
_MICROUSD = 1_000_000


class CatalogueError(Exception):
    """The models file is wrong; the message says where."""


class UnusableError(Exception):
    """The wanted model or provider cannot be used; the message says which can, or what to set."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderEntry(_Entry):
    """One provider. Keys and addresses are named here and found in the environment."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
    kind: Literal["openai", "anthropic"]
    base_url: str | None = None
    base_url_variable: str | None = None
    key_variable: str | None = None
    key_optional_with_base_url: bool = False
    rate_limits: RateLimits | None = Field(default=None, description="Of all its models together.")


class ModelEntry(_Entry):
    """One model of one provider. Prices in US dollars per million tokens."""

    provider: str
    model: str
    tiers: tuple[ModelTier, ...] = Field(min_length=1)
    priority: int = Field(ge=1, description="1 is asked first.")
    context_window_tokens: int = Field(ge=1024)
    max_output_tokens: int = Field(ge=128)
    input_price: float = Field(default=0, ge=0)
    output_price: float = Field(default=0, ge=0)
    cached_price: float | None = Field(default=None, ge=0, description="Absent: as input.")
    cache_write_price: float | None = Field(default=None, ge=0, description="Absent: as input.")
    refuses: tuple[Literal["temperature", "max_tokens"], ...] = ()
    structured: Literal["json_schema", "json_object", "tool"] = "json_schema"
    rate_limits: RateLimits | None = None
    vision: bool = Field(default=False, description="Whether it sees images.")

    @property
    def route(self) -> Route:
        """Provider and model."""
        return Route(provider=self.provider, model=self.model)

    def card(self, tier: ModelTier) -> ModelCard:
        """What a workflow records of it."""
        cached = self.input_price if self.cached_price is None else self.cached_price
        written = self.input_price if self.cache_write_price is None else self.cache_write_price
        return ModelCard(
            route=self.route,
            tier=tier,
            context_window_tokens=self.context_window_tokens,
            max_output_tokens=self.max_output_tokens,
            input_price=round(self.input_price * _MICROUSD),
            output_price=round(self.output_price * _MICROUSD),
            cached_price=round(cached * _MICROUSD),
            cache_write_price=round(written * _MICROUSD),
            vision=self.vision,
        )


class EmbeddingEntry(_Entry):
    """One embedding model of one provider. Price in US dollars per million tokens."""

    provider: str
    model: str
    input_price: float = Field(default=0, ge=0)


class _File(_Entry):
    providers: tuple[ProviderEntry, ...] = Field(min_length=1)
    models: tuple[ModelEntry, ...] = Field(min_length=1)
    embeddings: tuple[EmbeddingEntry, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "_File":
        names = [provider.name for provider in self.providers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"providers: {', '.join(twice)} given twice")
        routes = [str(model.route) for model in self.models]
        if twice := sorted({route for route in routes if routes.count(route) > 1}):
            raise ValueError(f"models: {', '.join(twice)} given twice")
        for part, entries in (("models", self.models), ("embeddings", self.embeddings)):
            if unknown := sorted({entry.provider for entry in entries} - set(names)):
                raise ValueError(f"{part}: no provider {', '.join(unknown)} is given")
        return self


UNLISTED_PRICE = 0.2
"""Of an embedding model that the catalogue does not list: as dear as any, in US dollars per million tokens."""
SHORTEST_SECRET = 8
"""Shorter words are no keys, and would take words out of messages."""
NO_KEY = "no-key"
"""What is given as a key to who wants none; too short for a secret."""


class Catalogue:
    """Models and providers, with the environment in which they can be used or not."""

    def __init__(
        self,
        providers: tuple[ProviderEntry, ...],
        models: tuple[ModelEntry, ...],
        env: Mapping[str, str],
        embeddings: tuple[EmbeddingEntry, ...] = (),
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._models = sorted(models, key=lambda model: model.priority)
        self._embeddings = embeddings
        self._env = env

    @staticmethod
    def load(path: Path | None, env: Mapping[str, str]) -> "Catalogue":
        """The catalogue of a file, or the shipped one.

        Raises:
            CatalogueError: the file cannot be read, is not YAML, or breaks a rule.
        """
        name = str(path) if path is not None else "models.yaml"
        try:
            text = (
                path.read_text() if path is not None else resources.files("theseus").joinpath("models.yaml").read_text()
            )
            file = _File.model_validate(yaml.safe_load(text))
        except OSError as error:
            raise CatalogueError(f"{name}: cannot be read ({error.strerror}); see THESEUS_MODELS_FILE") from error
        except yaml.YAMLError as error:
            raise CatalogueError(f"{name}: not YAML: {error}") from error
        except ValidationError as error:
            raise CatalogueError(f"{name}: {_problems(error)}") from error
        return Catalogue(file.providers, file.models, env, file.embeddings)

    def cards(
        self, tier: ModelTier, model_override: str | None = None, provider_override: str | None = None
    ) -> list[ModelCard]:
        """The usable models of a tier, or of the override whatever its tier, in order of priority.

        Raises:
            UnusableError: there is none.
        """
        if provider_override is not None:
            self._require(provider_override)
        usable = [m for m in self._models if self.is_usable(m.provider) and provider_override in (None, m.provider)]
        if model_override is not None:
            found = [m for m in usable if m.model == model_override]
            if not found and provider_override is not None:
                found = [_unlisted(provider_override, model_override)]
            if not found:
                raise UnusableError(self._about_model(model_override))
        else:
            found = [m for m in usable if tier in m.tiers] or usable
        if not found:
            raise UnusableError(self._what_to_set())
        return [model.card(tier) for model in found[:ROUTES_OF_A_TIER]]

    def entry(self, route: Route) -> ModelEntry:
        """The model of a route; with careful defaults for one that the catalogue does not list."""
        for model in self._models:
            if model.route == route:
                return model
        return _unlisted(route.provider, route.model)

    def embedding(self, name: str) -> EmbeddingEntry:
        """The embedding model of this name, as in `provider/model`; without its provider, the first that can be used.

        Raises:
            UnusableError: there is none, or its provider cannot be used or has no embeddings.
        """
        provider, _, model = name.partition("/")
        if provider in self._providers and model:
            listed = [entry for entry in self._embeddings if (entry.provider, entry.model) == (provider, model)]
        else:
            listed = [entry for entry in self._embeddings if entry.model == name]
            if not listed:
                known = ", ".join(f"{entry.provider}/{entry.model}" for entry in self._embeddings) or "none"
                raise UnusableError(f"there is no embedding model {name!r}; name it as provider/model; listed: {known}")
        usable = [entry for entry in listed if self.is_usable(entry.provider)]
        found = (usable or listed or [EmbeddingEntry(provider=provider, model=model, input_price=UNLISTED_PRICE)])[0]
        self._require(found.provider)
        if self._providers[found.provider].kind != "openai":
            raise UnusableError(f"provider {found.provider} has no embeddings; take one that speaks OpenAI's API")
        return found

    def rate_limits(self, route: Route) -> dict[str, RateLimits]:
        """The limits that a call of this route keeps, by scope: the model's name, and "" for the whole provider."""
        provider = self._providers.get(route.provider)
        scopes = {"": provider.rate_limits if provider else None, route.model: self.entry(route).rate_limits}
        return {scope: limits for scope, limits in scopes.items() if limits is not None}

    def provider(self, name: str) -> ProviderEntry:
        """The provider of this name.

        Raises:
            UnusableError: there is none.
        """
        if name not in self._providers:
            raise UnusableError(f"there is no provider {name!r}; known: {', '.join(sorted(self._providers))}")
        return self._providers[name]

    @property
    def models(self) -> tuple[ModelEntry, ...]:
        """All models, usable or not, in order of priority."""
        return tuple(self._models)

    @property
    def providers(self) -> frozenset[str]:
        """Names of all providers, usable or not."""
        return frozenset(self._providers)

    @property
    def usable_providers(self) -> list[str]:
        """Names of the providers that have what they need."""
        return [name for name in self._providers if self.is_usable(name)]

    def is_usable(self, name: str) -> bool:
        """Whether the provider has a key, or an address where it needs no key."""
        provider = self._providers[name]
        if provider.key_variable is not None and self._env.get(provider.key_variable):
            return True
        has_address = bool(provider.base_url_variable and self._env.get(provider.base_url_variable))
        return has_address and (provider.key_variable is None or provider.key_optional_with_base_url)

    def base_url(self, name: str) -> str:
        """Where the provider is: its variable wins over its default.

        Raises:
            UnusableError: neither is set.
        """
        provider = self.provider(name)
        url = (provider.base_url_variable and self._env.get(provider.base_url_variable)) or provider.base_url
        if not url:
            raise UnusableError(f"{name}: set {provider.base_url_variable}")
        return url

    @property
    def secrets(self) -> tuple[str, ...]:
        """All keys that are configured here, longest first; for taking them out of what is said."""
        names = [p.key_variable for p in self._providers.values() if p.key_variable]
        return tuple(
            sorted({key for name in names if len(key := self._env.get(name, "")) >= SHORTEST_SECRET}, key=len)
        )[::-1]

    def key(self, name: str) -> str:
        """The provider's key, or a word that says there is none."""
        variable = self.provider(name).key_variable
        return (variable and self._env.get(variable)) or NO_KEY

    def _require(self, name: str) -> None:
        provider = self.provider(name)
        if not self.is_usable(name):
            wanted = " or ".join(v for v in (provider.key_variable, provider.base_url_variable) if v)
            raise UnusableError(f"provider {name} cannot be used: set {wanted} where the worker runs")

    def _about_model(self, model: str) -> str:
        offered = sorted({m.provider for m in self._models if m.model == model})
        if offered:
            return f"model {model!r} is offered by {', '.join(offered)}, which cannot be used: no key is set"
        known = sorted({m.model for m in self._models if self.is_usable(m.provider)})
        return f"there is no model {model!r}; usable now: {', '.join(known) or 'none'}"

    def _what_to_set(self) -> str:
        keys = [p.key_variable for p in self._providers.values() if p.key_variable]
        return f"no model can be used: set one of {', '.join(keys)} where the worker runs"


def _unlisted(provider: str, model: str) -> ModelEntry:
    # dear and small on purpose: what is not known must not slip through a budget or overflow a window
    return ModelEntry(
        provider=provider,
        model=model,
        tiers=tuple(ModelTier),
        priority=1,
        context_window_tokens=32_000,
        max_output_tokens=4_096,
        input_price=5,
        output_price=15,
    )


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)[:5]
    )
