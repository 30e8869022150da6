"""What a vendor's adapter is: it brings tools for the roles that cannot work without."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from theseus.activities.tools.registry import Tool

GROUP = "theseus.adapters"
"""The group of entry points in which packages name their adapters; a name there is the adapter's name."""


class AdapterError(Exception):
    """An adapter cannot be used; the message says what to set or to change."""


class Adapter(Protocol):
    """One vendor, or several."""

    @classmethod
    def create(cls, environ: Mapping[str, str]) -> Self | None:
        """The adapter as the environment configures it; None where nothing does.

        Args:
            environ: the worker's variables, among them the vendor's key.

        Raises:
            AdapterError: it is configured wrongly; the message names the variable.
        """
        ...

    def tools(self) -> Mapping[str, Sequence[Tool]]:
        """The tools that it brings for each role, by the role's name. They only read."""
        ...

    async def aclose(self) -> None:
        """Gives back what it holds, when its worker ends."""
        ...
