"""THE table from a refusal to a gRPC status, and what goes with it."""

from collections.abc import Mapping

from grpc import StatusCode

from theseus.gateway.refusals import Refusal
from theseus.gateway.steering import TASK_ENDED

MOST_WORDS = 1_000
"""A status travels in a header: so many characters of it."""

_BY_CODE: Mapping[str, StatusCode] = {TASK_ENDED: StatusCode.FAILED_PRECONDITION}
_BY_STATUS: Mapping[int, StatusCode] = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,
    429: StatusCode.RESOURCE_EXHAUSTED,
    501: StatusCode.UNIMPLEMENTED,
    # what is behind the gateway refused: asked again, it would again
    502: StatusCode.INTERNAL,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}


def status_of(refusal: Refusal) -> StatusCode:
    """The status by which a refusal leaves."""
    if refusal.code is not None and refusal.code in _BY_CODE:
        return _BY_CODE[refusal.code]
    usual = StatusCode.INTERNAL if refusal.status >= 500 else StatusCode.INVALID_ARGUMENT
    return _BY_STATUS.get(refusal.status, usual)


def words_of(refusal: Refusal) -> str:
    """What a refusal says, as long as a status may be."""
    return refusal.message[:MOST_WORDS]


def trailers_of(refusal: Refusal) -> dict[str, str]:
    """The headers of a refusal, such as Retry-After, as metadata has them."""
    return {name.lower(): value for name, value in (refusal.headers or {}).items()}
