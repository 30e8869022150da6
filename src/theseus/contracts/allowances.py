"""What a caller may still ask of a gateway. Inner contract."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict


class Allowance(BaseModel):
    """What came of a request: whether it is done, how many more there may be now, and when there may be another one."""

    model_config = ConfigDict(frozen=True)

    is_admitted: bool
    most: int
    left: int
    next_in: timedelta
