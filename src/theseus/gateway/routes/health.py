"""GET /health, /readiness: open to all, for probes."""

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from temporalio.client import Client
from temporalio.service import RPCError

from theseus import __version__, runtime
from theseus.gateway.backend import Behind
from theseus.gateway.callers import Calling

router = APIRouter(tags=["health"])
PATIENCE = timedelta(seconds=3)
OK = "ok"


class Health(BaseModel):
    """`healthy`: this process answers."""

    status: str = "healthy"
    version: str = __version__


class Readiness(BaseModel):
    """`ready`, or `not ready` and what is missing."""

    status: str
    checks: dict[str, str]


@router.get("/health")
async def health() -> Health:
    """Whether the process answers."""
    return Health()


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(backend: Behind, caller: Calling) -> Response:
    """What this gateway counts of itself, for Prometheus; it asks with a key, as everybody."""
    del caller
    return Response(backend.counts.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/readiness", responses={503: {"model": Readiness}})
async def readiness(backend: Behind) -> JSONResponse:
    """Whether tasks can be taken: Temporal answers."""
    said = await temporal_says(backend.temporal)
    is_ready = said == OK
    body = Readiness(status="ready" if is_ready else "not ready", checks={"temporal": said})
    return JSONResponse(body.model_dump(), 200 if is_ready else 503)


async def temporal_says(temporal: Client) -> str:
    """`ok`, or what is wrong with Temporal."""
    try:
        serving = await temporal.service_client.check_health(timeout=PATIENCE)
        await runtime.require_namespace(temporal, timeout=PATIENCE)
    except RPCError as error:
        return f"does not answer: {error.message}"
    except ConnectionError as error:
        return str(error)
    return OK if serving else "not serving"
