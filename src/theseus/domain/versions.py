"""Versions of templates and skills: their order, and which of several a name means."""

from collections.abc import Iterable

from semver import Version


def parsed(text: str) -> Version:
    """A semantic version (semver.org).

    Raises:
        ValueError: it is none.
    """
    return Version.parse(text)


def newest(versions: Iterable[str]) -> str | None:
    """The newest version; one that is not finished (1.0.0-rc.1) only where no finished one is. None without any.

    Build metadata does not order versions: of two that differ in nothing else, the text that sorts last is taken.
    """
    known = [(parsed(text), text) for text in versions]
    finished = [each for each in known if each[0].prerelease is None]
    return max(finished or known, key=lambda each: (each[0], each[1]))[1] if known else None


def named(reference: str) -> tuple[str, str | None]:
    """Name and version of `name` or `name@version`."""
    name, at, version = reference.partition("@")
    return name, version if at else None
