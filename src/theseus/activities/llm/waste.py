"""What failed attempts of a model call spent: carried from attempt to attempt in the heartbeat, charged in the end."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from temporalio import activity

from theseus.contracts.task import Usage


@dataclass
class Waste:
    """Tokens and money that brought no answer."""

    spent: Usage = field(default_factory=Usage)

    @classmethod
    def of_earlier_attempts(cls) -> "Waste":
        """What the attempts before this one spent."""
        details = activity.info().heartbeat_details
        try:
            return cls(Usage.model_validate(details[0])) if details else cls()
        except ValidationError:
            return cls()

    def add(self, usage: Usage) -> None:
        """This attempt spent it, too; the next one will know."""
        self.spent += usage
        activity.heartbeat(*self.details())

    def details(self) -> tuple[Any, ...]:
        """For the heartbeat."""
        return (self.spent.model_dump(),)
