"""What a task gives a template: its parameters, each of the type that it is to have."""

from collections.abc import Mapping

from pydantic import JsonValue

from theseus.contracts.errors import InvalidInput
from theseus.contracts.template import Parameter, ParameterKind, Template

SHOWN_CHARS = 60

_KINDS: Mapping[ParameterKind, tuple[type, ...]] = {
    ParameterKind.STRING: (str,),
    ParameterKind.INTEGER: (int,),
    ParameterKind.NUMBER: (int, float),
    ParameterKind.BOOLEAN: (bool,),
    ParameterKind.LIST: (list,),
    ParameterKind.OBJECT: (dict,),
}


def bound(template: Template, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The values of a template's parameters, and whatever else the task gave.

    Raises:
        InvalidInput: one is missing, or is not what it has to be; `field` names it.
    """
    values = dict(given)
    for name, parameter in template.parameters.items():
        field = f"context.prompt_params.{name}"
        if name not in given:
            if parameter.required:
                what = f" ({parameter.description})" if parameter.description else ""
                raise InvalidInput(
                    f"{field}: the template {template.name} needs it{what}; it is a {parameter.type}", field=field
                )
            values[name] = parameter.default
        else:
            _check(field, parameter, given[name])
    return values


def default_fault(parameter: Parameter) -> str:
    """What is wrong with a parameter's default; empty when nothing is."""
    if parameter.default is None:
        return ""
    try:
        _check("default", parameter, parameter.default)
    except InvalidInput as error:
        return error.message
    return ""


def _check(field: str, parameter: Parameter, value: JsonValue) -> None:
    is_right = isinstance(value, _KINDS[parameter.type])
    if isinstance(value, bool) and parameter.type is not ParameterKind.BOOLEAN:
        is_right = False
    if not is_right:
        raise InvalidInput(f"{field}: {_shown(value)} is no {parameter.type}", field=field)
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(_shown(choice) for choice in parameter.choices)
        raise InvalidInput(f"{field}: {_shown(value)} is not among {choices}", field=field)


def _shown(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
