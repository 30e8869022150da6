"""Names of sources and cards, made from what they are: the same page and the same quote always have the same."""

import hashlib
from urllib.parse import urldefrag

ID_CHARS = 8


def source_id(url: str) -> str:
    """The id of the page at an address."""
    return f"s-{_short(urldefrag(url).url)}"


def card_id(source: str, start: int, question: str, facet: str) -> str:
    """The id of a quote as evidence for a facet: its source, where it begins there, and for what.

    Facets of different sub-questions may have the same id.
    """
    return f"c-{_short(f'{source}|{start}|{question}|{facet}')}"


def sha256(text: str) -> str:
    """The hash of a snapshot's text, in hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:ID_CHARS]
