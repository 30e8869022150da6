"""The project's own files, found and parsed once, for the tests that read source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
PACKAGE = "theseus"
SOURCE = ROOT / "src" / PACKAGE

_COMMITTED = (".ci", "benchmarks", "deploy", "docs", "evaluation", "requirements", "src", "tests")
_NOT_COMMITTED = {"__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}


@dataclass(frozen=True)
class Module:
    """One Python file. `path` is relative to the project, or to wherever a test planted it."""

    path: PurePosixPath
    text: str

    @classmethod
    def read(cls, file: Path, root: Path = ROOT) -> "Module":
        """Reads the file; its path is told from `root`."""
        return cls(PurePosixPath(file.relative_to(root).as_posix()), file.read_text(encoding="utf-8"))

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def name(self) -> str:
        """Dotted name below the package, "" for the package itself: `workflows.modes.simple`; a folder by its own name."""
        parts = list(self.path.with_suffix("").parts)
        if parts[:2] == ["src", PACKAGE]:
            parts = parts[2:]
        if parts and parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts)

    @property
    def is_source(self) -> bool:
        """Whether the file belongs to the package."""
        return self.path.parts[:2] == ("src", PACKAGE)

    @property
    def floor(self) -> str:
        """The first part of the name: the folder right below the package, or a module there."""
        return self.name.split(".")[0]

    def at(self, node: ast.AST, message: str) -> str:
        """A finding, as `path:line: message`."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every Python file below these folders of the project, in order of path."""
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return tuple(Module.read(file) for file in files if not _NOT_COMMITTED.intersection(file.parts))


def committed_texts() -> Iterator[tuple[PurePosixPath, str]]:
    """Path and text of every file of the project that is text: not of .venv, of caches or of what a tool builds."""
    top = [file for file in ROOT.iterdir() if file.is_file()]
    below = [file for folder in _COMMITTED for file in (ROOT / folder).rglob("*") if file.is_file()]
    for file in sorted(top + below):
        path = PurePosixPath(file.relative_to(ROOT).as_posix())
        if _NOT_COMMITTED.intersection(path.parts) or any(part.endswith(".egg-info") for part in path.parts):
            continue
        try:
            yield path, file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
