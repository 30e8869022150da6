"""GetSessionContext: a session, what its tasks came to, and the last of them."""

from dataclasses import replace

from google.protobuf.struct_pb2 import Struct
from pydantic import TypeAdapter

from theseus.gateway.refusals import Refusal
from theseus.gateway.routes import sessions as rest
from theseus.gateway.rpc.call import Call, fitting
from theseus.gateway.rpc.protocol import orchestrator_pb2 as wire
from theseus.gateway.rpc.protocol import shared_pb2 as shared
from theseus.gateway.rpc.telling import MOST_INT32, summary
from theseus.gateway.tasks import visible
from theseus.stores.archive.port import Page

RECENT = 20

_SESSION_ID: TypeAdapter[str] = TypeAdapter(rest.SessionId)


async def context(asked: wire.GetSessionContextRequest, call: Call) -> wire.GetSessionContextResponse:
    """A session of the caller; what REST tells of it is its context."""
    if not asked.session_id:
        raise Refusal(400, "session_id: say which session is meant")
    session_id = fitting(_SESSION_ID, "session_id", asked.session_id)
    told = await rest.session(session_id, call.backend, call.caller)
    # the same id of another user is another session, also to who may see all tasks
    own = visible(replace(call.caller, is_admin=False), session_id)
    recent, _ = await call.backend.tasks.listed(own, Page(RECENT))
    facts = Struct()
    facts.update(told.model_dump(mode="json", exclude={"session_id"}, exclude_none=True))
    return wire.GetSessionContextResponse(
        session_id=session_id,
        context=facts,
        recent_tasks=map(summary, recent),
        session_token_usage=shared.TokenUsage(total_tokens=min(told.tokens_used, MOST_INT32), cost_usd=told.cost_usd),
    )
