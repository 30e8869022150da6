"""Which tools of ad platforms a task may use: those of the platforms that its caller left on."""

from collections.abc import Collection

from theseus.contracts.task import AdsPlatforms
from theseus.contracts.vendors import PLATFORM_TOOLS


def turned_off(platforms: AdsPlatforms | None) -> frozenset[str]:
    """The tools that a task may not use; without toggles every platform is on."""
    if platforms is None:
        return frozenset()
    return frozenset(
        name for platform, tools in PLATFORM_TOOLS.items() for name in tools if not getattr(platforms, platform)
    )


def missing(platforms: AdsPlatforms | None, tools: Collection[str]) -> list[str]:
    """The platforms that the caller turned on by name and that none of these tools asks."""
    if platforms is None:
        return []
    wanted = [name for name in PLATFORM_TOOLS if name in platforms.model_fields_set and getattr(platforms, name)]
    return [name for name in wanted if not any(tool in tools for tool in PLATFORM_TOOLS[name])]
