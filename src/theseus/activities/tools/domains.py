"""Whose a page is: pages of one registrable domain are not independent of each other."""

import ipaddress
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import tld


def domain_of(url: str) -> str:
    """The registrable domain of a web address, or its host where there is none; a document's own name for a file.

    Two files of a folder count as two: who puts documents together has no one author.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return PurePosixPath(unquote(parts.path)).name
    host = (parts.hostname or "").rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        found = tld.get_fld(f"https://{host}", fail_silently=True) if host else None
        return found or ".".join(host.split(".")[-2:])
    return host
