"""The providers in use: one client each, made when first asked for."""

from theseus.activities.llm.anthropic import AnthropicProvider
from theseus.activities.llm.catalogue import Catalogue
from theseus.activities.llm.openai import OpenAIProvider
from theseus.activities.llm.provider import Provider

_KINDS = {"openai": OpenAIProvider, "anthropic": AnthropicProvider}


class Providers:
    """Clients by provider name."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._made: dict[str, Provider] = {}

    def named(self, name: str) -> Provider:
        """The client of this provider.

        Raises:
            UnusableError: there is no such provider, or its address is not set.
        """
        if name not in self._made:
            kind = _KINDS[self._catalogue.provider(name).kind]
            self._made[name] = kind(self._catalogue.base_url(name), self._catalogue.key(name))
        return self._made[name]

    async def aclose(self) -> None:
        """Closes all clients."""
        for provider in self._made.values():
            await provider.aclose()
        self._made.clear()
