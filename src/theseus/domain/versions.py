"""Versions of templates and skills: their order, and which of several a name means."""

from collections.abc import Iterable

from semver import Version


def parsed(text: str) -> Version:
    """A semantic version (semver.org).

    Raises:
        ValueError: it is none.
    """
    return Version.parse(text)


def ordered(versions: Iterable[str]) -> list[str]:
    """The versions, oldest first.

    Build metadata does not order versions: those that differ in nothing else go by their text.
    """
    return sorted(versions, key=lambda text: (parsed(text), text))


def newest(versions: Iterable[str]) -> str | None:
    """The newest version; one that is not finished (1.0.0-rc.1) only where no finished one is. None without any."""
    known = ordered(versions)
    finished = [text for text in known if parsed(text).prerelease is None]
    return (finished or known)[-1] if known else None


def named(reference: str) -> tuple[str, str | None]:
    """Name and version of `name` or `name@version`."""
    name, at, version = reference.partition("@")
    return name, version if at else None
