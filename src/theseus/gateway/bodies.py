"""Bodies of requests: JSON read by a model, whatever the client says of its type, and refused in sentences."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from theseus.contracts.errors import InvalidInput
from theseus.domain.intake import parsed, refuse_deep
from theseus.gateway.callers import Calling


class Body(BaseModel):
    """Base of bodies: unknown keys are refused; a key that is null is as one that is not there."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Read = TypeVar("Read", bound=Body)


async def body_of(request: Request, model: type[Read]) -> Read:
    """The body of a request; an empty one, or null, is an empty object.

    Raises:
        InvalidInput: it is no JSON, or not what the model says.
    """
    data = await request.body()
    raw = parsed(data, "Invalid request body: it") if data.strip() not in (b"", b"null") else {}
    if not isinstance(raw, dict):
        raise InvalidInput("Invalid request body: it has to be one JSON object")
    refuse_unfit(raw)
    try:
        return model.model_validate({name: value for name, value in raw.items() if value is not None})
    except ValidationError as error:
        raise _invalid(error) from error


def refuse_unfit(raw: JsonValue) -> None:
    """Refuses what cannot be carried on or kept.

    Raises:
        InvalidInput: it is nested too deeply, or a text in it holds what no database keeps; the message says where.
    """
    refuse_deep(raw, "Invalid request body: it")
    if place := next(_unkeepable(raw, ""), None):
        raise InvalidInput(f"{place}: holds characters that are not text (a zero, or half of a pair)", field=place)


def reading(model: type[Read]) -> Callable[..., Awaitable[Read]]:
    """The dependency by which a route gets its body, after it is known who calls."""

    async def read(request: Request, caller: Calling) -> Read:
        del caller
        return await body_of(request, model)

    return read


def described(
    model: type[BaseModel], *, without: Collection[str] = (), also: Collection[str] = (), is_needed: bool = False
) -> dict[str, Any]:
    """What OpenAPI is to say of a body that a route reads by itself.

    Args:
        model: what it holds.
        without: keys of the model that no request may have.
        also: keys that may have any value.
        is_needed: whether there has to be a body.
    """
    schema = model.model_json_schema()
    named = schema.pop("$defs", {})
    kept = {name: each for name, each in schema["properties"].items() if name not in without}
    schema["properties"] = kept | {name: {} for name in also}
    content = {"application/json": {"schema": _without_references(schema, named)}}
    return {"requestBody": {"content": content, "required": is_needed}}


def _without_references(schema: JsonValue, named: dict[str, JsonValue]) -> JsonValue:
    """With what it refers to in its place: from within a larger document, references would lead elsewhere."""
    match schema:
        case {"$ref": str(name)}:
            return _without_references(named[name.rpartition("/")[2]], named)
        case dict():
            return {key: _without_references(value, named) for key, value in schema.items()}
        case list():
            return [_without_references(each, named) for each in schema]
        case _:
            return schema


def _invalid(error: ValidationError) -> InvalidInput:
    said: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False)[:5]:
        place = ".".join(str(part) for part in item["loc"])
        words = {"extra_forbidden": "unknown key", "missing": "is required"}.get(item["type"], item["msg"])
        said.append(f"{place}: {words}")
    return InvalidInput("; ".join(said), field=said[0].split(":", 1)[0])


def _unkeepable(value: JsonValue, place: str) -> Iterator[str]:
    """Where a text is that no database keeps."""
    match value:
        case str():
            if "\x00" in value or any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
                yield place or "body"
        case dict():
            for name, each in value.items():
                yield from _unkeepable(name, place)
                yield from _unkeepable(each, f"{place}.{name}".lstrip("."))
        case list():
            for each in value:
                yield from _unkeepable(each, place)
        case _:
            pass
