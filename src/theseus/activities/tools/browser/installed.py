"""Whether this machine has a browser that can be driven: the library, and the program."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Programs that are looked for, in this order."""


class NoBrowserError(Exception):
    """There is no browser that can be driven; the message says what is missing and how to get it."""


def browser(program: Path | None) -> Path:
    """The browser's program.

    Args:
        program: where it is; absent: it is looked for on the PATH.

    Raises:
        NoBrowserError: the library or the program is missing.
    """
    if sys.platform != "linux":
        raise NoBrowserError(f"the browser is driven on Linux only, not on {sys.platform}")
    if find_spec("playwright") is None:
        raise NoBrowserError("Playwright is not installed: pip install 'theseus-worker[browser]'")
    if program is not None:
        found = shutil.which(str(program))
        if found is None:
            raise NoBrowserError(f"THESEUS_BROWSER={program} is no program that can be run")
        return Path(found).absolute()
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found).absolute()
    raise NoBrowserError(
        f"no browser is installed ({', '.join(NAMES)}): install one, on Debian `apt-get install chromium`, "
        f"or name its program in THESEUS_BROWSER"
    )
