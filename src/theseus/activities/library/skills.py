"""The skills of some folders: Markdown with front matter, one file each, or a folder of its own with a SKILL.md."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from theseus.activities.library.documents import MAX_FILE_BYTES, Document, LibraryError, read
from theseus.activities.library.shelf import Contents, Item, Shelf
from theseus.contracts.skill import MOST_BODY_CHARS, Skill, SkillHead
from theseus.domain.versions import parsed

SUFFIXES = (".md",)
SKIPPED = frozenset({"README.md", "CHANGELOG.md", "LICENSE.md"})
FENCE = "---"


class Skills:
    """The skills of some folders.

    Args:
        folders: where their files are; all are looked through for each task.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._shelf = Shelf(folders, SUFFIXES, _read, SKIPPED)

    @property
    def contents(self) -> Contents[Skill]:
        """What is there now."""
        return self._shelf.contents()

    def find(self, name: str, version: str | None = None) -> Skill | None:
        """The skill of a version, or the newest; None when there is none.

        Raises:
            LibraryError: there is one, and it cannot be used.
        """
        item = self._shelf.contents().find(name, version)
        return item.value if item is not None else None

    def names(self) -> list[str]:
        """`name@version` of all that can be used."""
        return [item.key for item in self._shelf.contents().all() if item.value.head.enabled]


def _read(file: str, data: bytes) -> Item[Skill]:
    document, body = _parted(file, data)
    try:
        head = SkillHead.model_validate(document.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        said = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise document.wrong(first["loc"], said) from error
    try:
        parsed(head.version)
    except ValueError as error:
        raise document.wrong(("version",), f"{head.version!r} is no semantic version such as 1.2.0") from error
    if not body:
        raise LibraryError(f"{file}: it says nothing below its front matter: what its agent does stands there")
    if len(body) > MOST_BODY_CHARS:
        raise LibraryError(f"{file}: its instructions are {len(body)} characters; at most {MOST_BODY_CHARS}")
    skill = Skill(head=head, body=body, content_hash=hashlib.sha256(data).hexdigest())
    return Item(head.name, head.version, skill, file)


def _parted(file: str, data: bytes) -> tuple[Document, str]:
    if len(data) > MAX_FILE_BYTES:
        raise LibraryError(f"{file}: larger than {MAX_FILE_BYTES} bytes, which is the most that is read")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LibraryError(f"{file}: not UTF-8 text (byte {error.start})") from error
    if not lines or lines[0].strip() != FENCE:
        raise LibraryError(
            f"{file}: line 1: a skill begins with front matter: a line with ---, its keys, and --- again"
        )
    end = next((at for at, line in enumerate(lines[1:], start=1) if line.strip() == FENCE), None)
    if end is None:
        raise LibraryError(f"{file}: the front matter has no end: a line with ---")
    return read("\n".join(lines[1:end]).encode(), file, first_line=2), "\n".join(lines[end + 1 :]).strip()
