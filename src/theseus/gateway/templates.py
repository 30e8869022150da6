"""The templates that tasks may name, as the workers' folders have them."""

import logging

from theseus.activities.library.documents import LibraryError
from theseus.activities.library.shelf import library_folders
from theseus.activities.library.templates import Found, Templates
from theseus.config import Settings
from theseus.domain.versions import named

_log = logging.getLogger("theseus.gateway")


def templates(settings: Settings) -> list[Found]:
    """All that can be used, by name and version; reads files."""
    shelf = Templates(library_folders(settings.templates, "templates"))
    found: list[Found] = []
    for name in shelf.names():
        try:
            template = shelf.find(*named(name))
        except LibraryError as error:
            _log.warning("a template cannot be used: %s", error)
            continue
        if template is not None:
            found.append(template)
    return found
