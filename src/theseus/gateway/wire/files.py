"""Answers about files."""

import base64
import mimetypes
import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel

from theseus.stores.files import Entry


class FileItem(BaseModel):
    """One file or folder; `path` is told from the root."""

    name: str
    path: str
    is_dir: bool
    size_bytes: int


class FilesAnswer(BaseModel):
    """What is in a folder; `truncated` says that there is more."""

    success: bool = True
    path: str
    files: list[FileItem]
    truncated: bool = False

    @classmethod
    def of(cls, path: str, entries: Sequence[Entry], most: int) -> "FilesAnswer":
        """From at most so many entries of a folder."""
        folder = "/".join(step for step in path.split("/") if step not in ("", "."))
        files = [
            FileItem(
                name=entry.name,
                path=f"{folder}/{entry.name}" if folder else entry.name,
                is_dir=entry.kind == "folder",
                size_bytes=entry.size_bytes,
            )
            for entry in entries[:most]
        ]
        return cls(path=folder, files=files, truncated=len(entries) > most)


class FileAnswer(BaseModel):
    """One file: text as it is, anything else in base64."""

    success: bool = True
    path: str
    content: str
    encoding: Literal["utf-8", "base64"]
    content_type: str
    size_bytes: int

    @classmethod
    def of(cls, path: str, data: bytes) -> "FileAnswer":
        """From its bytes."""
        text = _text(data)
        kind = mimetypes.guess_type(path, strict=False)[0]
        return cls(
            path=path,
            content=text if text is not None else base64.b64encode(data).decode("ascii"),
            encoding="utf-8" if text is not None else "base64",
            content_type=kind or ("text/plain" if text is not None else "application/octet-stream"),
            size_bytes=len(data),
        )


def as_attachment(path: str) -> dict[str, str]:
    """Headers by which a browser saves a file and does nothing else with it."""
    name = path.rpartition("/")[2]
    plain = re.sub(r"[^ !#-\[\]-~]", "_", name)
    named = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": named, "Content-Security-Policy": "sandbox; default-src 'none'"}


def _text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
