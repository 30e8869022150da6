"""Text as every database keeps it: without NUL and half characters, which tools and models may produce."""

import json
import re

from pydantic import JsonValue
from sqlalchemy import Dialect, Text, TypeDecorator

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(0000|d[89a-f])")
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


class Words(TypeDecorator[str]):
    """A text of any length; what no database keeps is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database."""
        return value if value is None else keepable(value)


def keepable(text: str) -> str:
    """The text, with a replacement character for each that no database keeps."""
    return _UNKEEPABLE.sub(_INSTEAD, text)


def as_json(value: JsonValue) -> str:
    """JSON in ASCII, as PostgreSQL and SQLite take it."""
    said = json.dumps(value)
    # escapes of whole characters beyond the first plane look alike, so a find only says: look closer
    return json.dumps(_keepable(value)) if _ESCAPED.search(said) else said


def _keepable(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return keepable(value)
        case dict():
            return {keepable(name): _keepable(each) for name, each in value.items()}
        case list():
            return [_keepable(each) for each in value]
        case _:
            return value
