"""Whose a page is: pages of one registrable domain are not independent of each other."""

import ipaddress
from urllib.parse import urlsplit

import tld


def domain_of(url: str) -> str:
    """The registrable domain of a web address, or its host where there is none."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        found = tld.get_fld(f"https://{host}", fail_silently=True) if host else None
        return found or ".".join(host.split(".")[-2:])
    return host
