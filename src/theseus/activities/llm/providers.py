"""The providers in use: one client each, made when first asked for."""

import asyncio
from importlib import import_module

from theseus.activities.llm.catalogue import Catalogue
from theseus.activities.llm.provider import Provider

# loaded by name: an SDK takes seconds to import, and most workers need one of them
_KINDS = {
    "openai": ("theseus.activities.llm.openai", "OpenAIProvider"),
    "anthropic": ("theseus.activities.llm.anthropic", "AnthropicProvider"),
}


class Providers:
    """Clients by provider name."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._made: dict[str, Provider] = {}

    async def warm(self) -> None:
        """Makes the clients of all providers that can be used, so that no call has to wait for an import."""
        for name in self._catalogue.usable_providers:
            await asyncio.to_thread(self.named, name)

    def named(self, name: str) -> Provider:
        """The client of this provider.

        Raises:
            UnusableError: there is no such provider, or its address is not set.
        """
        if name not in self._made:
            module, kind = _KINDS[self._catalogue.provider(name).kind]
            make = getattr(import_module(module), kind)
            self._made[name] = make(self._catalogue.base_url(name), self._catalogue.key(name))
        return self._made[name]

    async def aclose(self) -> None:
        """Closes all clients."""
        for provider in self._made.values():
            await provider.aclose()
        self._made.clear()
