"""Attachments: what is accepted as one, and how agents, tools and sessions are told of them."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from theseus.contracts.attachments import AttachmentRef
from theseus.contracts.errors import InvalidInput
from theseus.contracts.task import Attachment, TaskContext

NAME_CHARS = 120
FIRST_CHARS = 200
"""So much of a text is shown beside its name."""
PDF = "application/pdf"
TEXT_TYPES = frozenset({"text/plain", "text/markdown", "text/csv", "application/json"})

_PDF_MARK = b"%PDF-"
_PDF_WITHIN = 1024
"""A PDF may begin somewhat later than its file does."""
_MAGIC: Mapping[str, tuple[bytes, ...]] = {
    PDF: (_PDF_MARK,),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_SPACE = re.compile(r"\s+")


def check(context: TaskContext) -> None:
    """Refuses attachments that are not what they say.

    Raises:
        InvalidInput: the message and `field` name the attachment and its key.
    """
    for place, attachment in enumerate(context.attachments or ()):
        _check(attachment, f"context.attachments.{place}")


def content_of(attachment: Attachment) -> bytes:
    """The bytes of an attachment that was checked; empty for one that is kept already."""
    if attachment.data is not None:
        return base64.b64decode(_SPACE.sub("", attachment.data), validate=True)
    return (attachment.text or "").encode(errors="replace")


def safe_name(name: str, place: int) -> str:
    """The last part of a path, without what no line of text should hold."""
    last = _UNSHOWN.sub(" ", name).replace("\\", "/").rstrip("/ ").rpartition("/")[2]
    shown = _SPACE.sub(" ", last).strip(" .")[:NAME_CHARS]
    return shown or f"attachment-{place + 1}"


def first_words(text: str) -> str:
    """The beginning of a text, in one line."""
    line = _SPACE.sub(" ", _UNSHOWN.sub(" ", text[: FIRST_CHARS * 2])).strip()
    return line if len(line) <= FIRST_CHARS else f"{line[:FIRST_CHARS]}…"


def data_url(media_type: str, data: bytes) -> str:
    """An image as text, as it is kept and as some providers take it."""
    return f"{url_start(media_type)}{base64.b64encode(data).decode()}"


def url_start(media_type: str) -> str:
    """How the data URL of such an image begins."""
    return f"data:{media_type};base64,"


def is_kept_image(text: str, media_type: str) -> bool:
    """Whether the beginning of what is kept is that of such an image."""
    start = url_start(media_type)
    try:
        first = base64.b64decode(text[len(start) : len(start) + 64], validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(start) and _kind(first) == media_type


def listed(attachments: Sequence[AttachmentRef]) -> str:
    """What agents are told of attachments, a line each."""
    return "\n".join(_line(each) for each in attachments)


def mentioned(attachments: Sequence[AttachmentRef]) -> str:
    """What a session keeps of a turn's attachments, so that a later turn can read them."""
    return "".join(f"\n[Attached: {each.name}, {each.media_type}, artifact {each.artifact_id}]" for each in attachments)


def for_tools(attachments: Sequence[AttachmentRef]) -> list[JsonValue]:
    """What tools find under `attachments`."""
    return [each.model_dump(mode="json", exclude={"first_words"}) for each in attachments]


def _line(each: AttachmentRef) -> str:
    about = f"- {each.name} ({each.media_type}, {each.size_bytes} bytes"
    if each.is_image:
        return f"{about}): an image, shown with the task to models that see"
    return f'{about}), artifact_id "{each.artifact_id}", begins: {json.dumps(each.first_words, ensure_ascii=False)}'


def _check(attachment: Attachment, place: str) -> None:
    given = [key for key in ("data", "text", "artifact_id") if getattr(attachment, key) is not None]
    if len(given) != 1:
        raise InvalidInput(f"{place}: give exactly one of data, text and artifact_id", field=place)
    field = f"{place}.{given[0]}"
    wanted = attachment.media_type
    if attachment.artifact_id is not None:
        return
    if attachment.text is not None and wanted not in TEXT_TYPES:
        raise InvalidInput(f"{field}: {wanted} is no text; give its bytes in base64 as data", field=field)
    try:
        data = content_of(attachment)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{field}: not base64; give the bytes alone, without a data: prefix", field=field) from error
    if problem := _problem(wanted, data):
        raise InvalidInput(f"{field}: {problem}", field=field)


def _problem(wanted: str, data: bytes) -> str:
    """Why bytes are not of the type that they are said to be; empty when they are."""
    found = _kind(data)
    if wanted not in TEXT_TYPES:
        is_late_pdf = wanted == PDF and not found and _PDF_MARK in data[:_PDF_WITHIN]
        fits = found == wanted or is_late_pdf
        return "" if fits else f"said to be {wanted}, but its bytes are {found or 'of another type'}"
    if found:
        return f"said to be {wanted}, but its bytes are {found}"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return f"said to be {wanted}, but it is no UTF-8 text (byte {error.start})"
    if not text.strip():
        return "there is nothing in it"
    if _CONTROL.search(text):
        return f"said to be {wanted}, but it holds control characters, as binary files do"
    return _no_json(text) if wanted == "application/json" else ""


def _no_json(text: str) -> str:
    try:
        json.loads(text)
    except RecursionError:
        return "said to be application/json, but it is nested too deeply to be read"
    except ValueError as error:
        return f"said to be application/json, but it is none: {error}"
    return ""


def _kind(data: bytes) -> str:
    """The media type that the first bytes stand for; empty when they stand for none."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for kind, starts in _MAGIC.items() if data.startswith(starts)), "")
