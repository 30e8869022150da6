"""A call under way: who calls, the world behind, and what goes back beside the answer."""

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import unquote

from grpc.aio import ServicerContext
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import State
from starlette.requests import HTTPConnection

from theseus.contracts.task import Id
from theseus.gateway.backend import Backend
from theseus.gateway.bodies import refuse_unfit
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.routes.tasks import TaskId

Context = ServicerContext[Any, Any]
Body = TypeVar("Body", bound=BaseModel)
Value = TypeVar("Value")

_TASK_ID: TypeAdapter[str] = TypeAdapter(TaskId)
_USER_ID: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True)
class Call:
    """One call. What is put into `metadata` goes back before the answer."""

    backend: Backend
    caller: Caller
    metadata: dict[str, str] = field(default_factory=dict[str, str])

    def acting_for(self, user_id: str = "", tenant_id: str = "") -> Caller:
        """The caller, or the user of their tenant in whose name they act; empty names nobody else.

        Raises:
            Refusal: 403, they may not act for somebody else; 400, nobody can have that id.
        """
        if tenant_id and tenant_id != self.caller.tenant_id:
            raise Refusal(403, f"tenant_id: {tenant_id!r} is not the tenant of this key; leave it out")
        if not user_id or user_id == self.caller.user_id:
            return self.caller
        if not self.caller.is_admin:
            raise Refusal(403, f"user_id: {user_id!r} is not the user of this key; leave it out")
        return replace(self.caller, user_id=fitting(_USER_ID, "user_id", user_id))


def connection(path: str, context: Context, backend: Backend) -> HTTPConnection:
    """A call as an authenticator sees requests: metadata are its headers."""
    state = State({"backend": backend})
    return HTTPConnection(
        {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in metadata_of(context).items()],
            "client": _peer(context.peer()),
            "app": State({"state": state}),
            "state": {},
        }
    )


def metadata_of(context: Context) -> dict[str, str]:
    """What came beside the request, of one name the first; binary values are left out."""
    found: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found.setdefault(name.lower(), value)
    return found


def _peer(peer: str) -> tuple[str, int] | None:
    kind, _, rest = peer.partition(":")
    host, _, port = unquote(rest).rpartition(":")
    return (host.strip("[]"), int(port)) if kind in ("ipv4", "ipv6") and port.isdecimal() else None


def task_id_of(field_name: str, given: str) -> str:
    """A task's id as REST's paths take it.

    Raises:
        Refusal: 400, it cannot be one.
    """
    if not given:
        raise Refusal(400, f"{field_name}: say which task is meant")
    return fitting(_TASK_ID, field_name, given)


def fitting(kind: TypeAdapter[Value], name: str, given: Value) -> Value:
    """A value by the rule of a parameter of REST.

    Raises:
        Refusal: 400, it breaks the rule.
    """
    try:
        return kind.validate_python(given)
    except ValidationError as error:
        raise _refused(error, name) from error


def body(kind: type[Body], **given: Any) -> Body:
    """A body of REST, from the fields of a message.

    Raises:
        Refusal: 400, it breaks a rule.
        InvalidInput: it cannot be carried on or kept.
    """
    refuse_unfit(given)
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise _refused(error, "request") from error


def _refused(error: ValidationError, name: str) -> Refusal:
    problems = [f"{'.'.join(map(str, item['loc'])) or name}: {item['msg']}" for item in error.errors()]
    return Refusal(400, "; ".join(problems))
