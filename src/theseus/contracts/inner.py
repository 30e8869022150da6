"""What crosses between our own parts: what all of it has in common. Inner contract."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_origin

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Inner(BaseModel):
    """Base of what crosses between our own parts: tolerant to fields of a newer version, immutable."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Sparse(Inner):
    """What histories are made of: written without the fields that hold their default, as most of them do.

    A default of such a field never changes, or what was written before would be read as something else.
    A tag (`Literal`) is always written: unions are told apart by it.
    """

    _defaults: ClassVar[Mapping[str, object]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Finds what the class does not write."""
        super().__pydantic_init_subclass__(**kwargs)
        cls._defaults = {
            name: field.default
            for name, field in cls.model_fields.items()
            if not field.is_required() and field.default_factory is None and get_origin(field.annotation) is not Literal
        }

    @model_serializer(mode="wrap")
    def _told(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told: dict[str, Any] = write(self)
        defaults = self._defaults
        return {name: value for name, value in told.items() if getattr(self, name) != defaults.get(name, ...)}
