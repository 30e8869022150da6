"""Embeddings: vectors of texts by which likeness of meaning is measured, from the provider that the setting names."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from theseus.activities.failures import ProviderError, failure
from theseus.activities.llm.catalogue import Catalogue, EmbeddingEntry, UnusableError
from theseus.activities.llm.provider import EmbeddingProvider
from theseus.activities.llm.providers import Providers
from theseus.contracts.messages import Route
from theseus.contracts.task import Usage
from theseus.domain.tokens import estimate

PATIENCE_SECONDS = 5.0
"""A task waits no longer for what only makes its recall better."""


class EmbeddingError(Exception):
    """There are no vectors now; the message says why, without a key."""


@dataclass(frozen=True)
class Embedded:
    """One vector a text, in their order, and what they cost."""

    vectors: Sequence[tuple[float, ...]]
    usage: Usage


class Embedder(Protocol):
    """Makes vectors of one model; those of another cannot be compared with them."""

    @property
    def route(self) -> Route:
        """Provider and model."""
        ...

    def affordable_tokens(self, microusd: int) -> int | None:
        """How many tokens the money buys; None for any number."""
        ...

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """The vectors of some texts.

        Raises:
            EmbeddingError: there are none.
        """
        ...


class CatalogueEmbedder:
    """An embedding model of the catalogue."""

    def __init__(self, catalogue: Catalogue, providers: Providers, entry: EmbeddingEntry) -> None:
        self._catalogue = catalogue
        self._providers = providers
        self._entry = entry

    @property
    def route(self) -> Route:
        """See `Embedder.route`."""
        return Route(provider=self._entry.provider, model=self._entry.model)

    def affordable_tokens(self, microusd: int) -> int | None:
        """See `Embedder.affordable_tokens`."""
        return int(microusd / self._entry.input_price) if self._entry.input_price else None

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """See `Embedder.embed`. It is asked once: a try is all that it is worth."""
        try:
            provider = self._providers.named(self._entry.provider)
            if not isinstance(provider, EmbeddingProvider):
                raise EmbeddingError(f"{self.route}: this kind of provider has no embeddings")
            async with asyncio.timeout(PATIENCE_SECONDS):
                made = await provider.embed(self._entry.model, texts)
        except UnusableError as error:
            raise EmbeddingError(str(error)) from None
        except ProviderError as error:
            variable = self._catalogue.provider(self._entry.provider).key_variable
            failed = failure(error, self.route, self._catalogue.secrets, key_variable=variable)
            raise EmbeddingError(failed.message) from None
        except TimeoutError:
            raise EmbeddingError(f"{self.route}: no answer within {PATIENCE_SECONDS:g} s") from None
        if len(made.vectors) != len(texts) or not all(map(_is_sound, made.vectors)):
            raise EmbeddingError(f"{self.route}: the answer does not have a vector for each text")
        return Embedded(made.vectors, self._usage(made.input_tokens, texts))

    def _usage(self, counted: int | None, texts: Sequence[str]) -> Usage:
        tokens = counted if counted is not None else sum(map(estimate, texts))
        cost = math.ceil(tokens * self._entry.input_price)
        return Usage(input_tokens=tokens, total_tokens=tokens, cost_microusd=cost)


def _is_sound(vector: Sequence[float]) -> bool:
    return bool(vector) and all(map(math.isfinite, vector))
