"""What a website lets programs read: its robots.txt, by RFC 9309."""

import asyncio
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from protego import Protego

from theseus.activities.tools.registry import ToolError
from theseus.activities.tools.web_fetch import USER_AGENT, FetchError, Pages

LONGEST_DELAY = 5.0
"""Seconds between two pages of a site that asks for a pause as long or longer."""
MOST_CHARS = 500_000
"""So much of a robots.txt is read, as the RFC asks for at least."""
_TOO_MANY = 429


class _Matcher(Protocol):
    def can_fetch(self, url: str, user_agent: str) -> bool: ...


@dataclass(frozen=True)
class Rules:
    """What may be read of a site, and how fast: seconds from one page to the next. `why` is for what may not."""

    matcher: _Matcher | None = None
    is_closed: bool = False
    delay_seconds: float = 0.0
    why: str = "the website's robots.txt does not allow programs to read it."

    def allows(self, url: str) -> bool:
        """Whether programs may read an address."""
        if self.matcher is None:
            return not self.is_closed
        return self.matcher.can_fetch(url, USER_AGENT)


async def rules_of(pages: Pages, url: str) -> Rules:
    """The rules of the site that an address is of; without a robots.txt that can be read all of it may be.

    A site whose server cannot say now may not be read.

    Raises:
        FetchError: the address is no web address.
    """
    try:
        parts = urlsplit(url)
        scheme, place = parts.scheme.lower(), parts.netloc
    except ValueError as error:
        raise FetchError(f"{url} is not a web address: {error}") from error
    if scheme not in ("http", "https"):
        raise FetchError(f"{url} was not opened: only http and https addresses are")
    try:
        reading = await pages.read(f"{scheme}://{place}/robots.txt")
    except ToolError:
        return Rules()
    except FetchError as error:
        if error.status is not None and error.status < 500 and error.status != _TOO_MANY:
            return Rules()
        return Rules(is_closed=True, why=f"the website's robots.txt could not be read: {error}")
    return await asyncio.to_thread(_parsed, reading.found.text[:MOST_CHARS])


def _parsed(text: str) -> Rules:
    found = Protego.parse(text)
    return Rules(found, delay_seconds=min(max(float(found.crawl_delay(USER_AGENT) or 0), 0.0), LONGEST_DELAY))
