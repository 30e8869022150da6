"""Packages as an installer leaves them: metadata on the path, by which entry points are found."""

from pathlib import Path

import pytest

from theseus.activities.vendors.port import GROUP

SHIPPED = {"local_file": "theseus.adapters.local_file.adapter:LocalFile"}


def install(patch: pytest.MonkeyPatch, folder: Path, name: str, adapters: dict[str, str], **modules: str) -> None:
    """Makes a package of this name importable, with these adapters and these modules."""
    site = folder / f"site-{name}"
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{adapter} = {target}" for adapter, target in adapters.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
    for module, text in modules.items():
        (site / f"{module}.py").write_text(text)
    patch.syspath_prepend(site)
