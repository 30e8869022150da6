"""POST /v1/chat/completions, POST /v1/completions, GET /v1/models and /v1/models/{model}: what OpenAI's clients call."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from theseus.contracts.task import Id
from theseus.domain.intake import parsed
from theseus.gateway.backend import Backend, Behind
from theseus.gateway.bodies import described
from theseus.gateway.callers import Caller, Calling
from theseus.gateway.openai import request as asked
from theseus.gateway.openai.conversation import Talk, talk_of
from theseus.gateway.openai.models import Served
from theseus.gateway.openai.request import Asked
from theseus.gateway.refusals import Refusal
from theseus.gateway.streams.sending import EventStream
from theseus.gateway.wire.openai import ChatAnswer, CompletionAnswer, ModelAnswer, ModelsAnswer, Shape

router = APIRouter(prefix="/v1", tags=["openai"])

IGNORED = "X-Theseus-Ignored"
CLIENT_GONE = 499
Session = Annotated[Id | None, Header(alias="X-Session-ID", description="A conversation to go on with.")]


@router.get("/models")
async def models(backend: Behind, caller: Calling) -> ModelsAnswer:
    """What `model` may be; `shannon-` names and `provider/model` are taken, too."""
    caller.require("tasks:read")
    return ModelsAnswer(data=[_shown(served, served.id) for served in backend.models.all])


@router.get("/models/{name:path}")
async def model(name: str, response: Response, backend: Behind, caller: Calling) -> ModelAnswer:
    """One of them."""
    caller.require("tasks:read")
    served = backend.models.named(name)
    response.headers["X-Model-Description"] = served.about
    return _shown(served, name)


@router.post(
    "/chat/completions",
    response_model=ChatAnswer,
    openapi_extra=described(asked.ChatAsked, also=asked.WITHOUT_EFFECT, is_needed=True),
)
async def chat(request: Request, backend: Behind, caller: Calling, session: Session = None) -> Response:
    """Starts a task that answers a conversation, and gives its answer, whole or as it is written."""
    body, ignored = asked.taken(parsed(await request.body(), "Invalid request body: it"))
    wanted = asked.chat(body)
    return await _answer(request, backend, caller, _Call(wanted, talk_of(wanted.messages), session, ignored))


@router.post(
    "/completions",
    response_model=CompletionAnswer,
    openapi_extra=described(asked.CompletionAsked, also=asked.WITHOUT_EFFECT, is_needed=True),
)
async def completions(request: Request, backend: Behind, caller: Calling, session: Session = None) -> Response:
    """The same for a prompt alone."""
    body, ignored = asked.taken(parsed(await request.body(), "Invalid request body: it"))
    wanted = asked.completion(body)
    prompts = [wanted.prompt] if isinstance(wanted.prompt, str) else wanted.prompt
    if len(prompts) != 1:
        raise Refusal(400, "prompt: give one; each is a task of its own", code="invalid_value", param="prompt")
    return await _answer(request, backend, caller, _Call(wanted, Talk(prompts[0]), session, ignored))


class _Call:
    """What one request asks for."""

    def __init__(self, wanted: Asked, talk: Talk, session: str | None, ignored: list[str]) -> None:
        self.wanted = wanted
        self.talk = talk
        self.session = session
        self.headers = {IGNORED: ", ".join(ignored)} if ignored else {}


async def _answer(request: Request, backend: Backend, caller: Caller, asks: _Call) -> Response:
    caller.require("tasks:write")
    wanted = asks.wanted
    served = backend.models.named(wanted.model)
    call = await backend.calls.start(asks.talk, wanted.shannon_options, served, asks.session, caller)
    shape = Shape(
        task_id=call.record.task_id,
        model=wanted.model,
        created=int(call.created.timestamp()),
        is_chat=isinstance(wanted, asked.ChatAsked),
        include_usage=wanted.include_usage,
    )
    headers = call.headers | asks.headers
    if wanted.stream:
        return EventStream(backend.calls.told(call, shape), headers, lambda: backend.calls.leave(call))
    gone = asyncio.create_task(_gone(request))
    try:
        result = await backend.calls.answer(call, gone)
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    if result is None:
        return Response(status_code=CLIENT_GONE)
    return Response(shape.whole(result).model_dump_json(), media_type="application/json", headers=headers)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _shown(served: Served, name: str) -> ModelAnswer:
    return ModelAnswer(id=name, owned_by=served.owner, description=served.about)
