"""A conversation as a task: the last words of the user are the query, what was said before is the session's, files are attached."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from theseus.gateway.openai.request import Message, Part
from theseus.gateway.refusals import Refusal

BEGINS = "(The assistant speaks first.)"
LOOK = "See what is attached."
_DATA = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,(.+)", re.DOTALL)


@dataclass(frozen=True)
class Talk:
    """What a conversation means; `before` has the turns, each the user's words and the answer."""

    query: str
    system: str = ""
    before: tuple[tuple[str, str], ...] = ()
    attachments: tuple[dict[str, JsonValue], ...] = ()


@dataclass
class _Reading:
    files: list[dict[str, JsonValue]] = field(default_factory=list[dict[str, JsonValue]])

    def text(self, message: Message, place: str) -> str:
        parts = (
            message.content if isinstance(message.content, list) else [Part(type="text", text=message.content or "")]
        )
        texts = [self._part(part, f"{place}.content.{at}") for at, part in enumerate(parts)]
        said = "\n".join(text for text in texts if text.strip())
        return f"{message.name}: {said}" if message.name and message.role == "user" and said else said

    def _part(self, part: Part, place: str) -> str:
        if part.type in ("text", "input_text", "output_text", "refusal"):
            return part.text
        if part.type == "image_url" and part.image_url is not None:
            return self._file(part.image_url.url, "", f"{place}.image_url.url")
        if part.type == "file" and part.file is not None and part.file.file_data is not None:
            return self._file(part.file.file_data, part.file.filename or "", f"{place}.file.file_data")
        raise _refused(
            place, f"a part of type {part.type!r} cannot be taken; send text, image_url or file with file_data"
        )

    def _file(self, url: str, name: str, place: str) -> str:
        found = _DATA.fullmatch(url)
        if found is None:
            raise _refused(place, "must be a data: URL in base64; addresses are not fetched")
        kind, data = found.groups()
        name = name or f"file-{len(self.files) + 1}.{kind.partition('/')[2]}"
        self.files.append({"name": name, "media_type": kind, "data": data})
        return f"[Attached: {name}]"


def talk_of(messages: Sequence[Message]) -> Talk:
    """What a conversation means.

    Raises:
        Refusal: 400, it does not end with the user, or holds what a task cannot take.
    """
    reading = _Reading()
    system: list[str] = []
    said: list[tuple[str, str]] = []
    for at, message in enumerate(messages):
        place = f"messages.{at}"
        if message.role in ("tool", "function") or message.tool_calls:
            raise _refused(place, "a task calls tools of its own; calls of a client's tools cannot be part of it")
        # half characters are no text that could be kept
        text = reading.text(message, place).encode(errors="replace").decode()
        if message.role in ("system", "developer"):
            system.append(text)
        elif said and said[-1][0] == message.role:
            said[-1] = (message.role, f"{said[-1][1]}\n\n{text}".strip())
        else:
            said.append((message.role, text))
    if not said or said[-1][0] != "user":
        raise _refused("messages", "the last message must be the user's")
    query = said[-1][1] or (LOOK if reading.files else "")
    return Talk(
        query=query,
        system="\n\n".join(text for text in system if text.strip()),
        before=_turns(said[:-1]),
        attachments=tuple(reading.files),
    )


def _turns(said: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    # users and assistants take turns here, and an assistant's words come last: the query follows them
    texts = [text for _, text in said]
    if said and said[0][0] == "assistant":
        texts.insert(0, BEGINS)
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return tuple((user or LOOK, answer) for user, answer in pairs if answer.strip())


def _refused(place: str, why: str) -> Refusal:
    return Refusal(400, f"{place}: {why}", code="invalid_value", param=place)
