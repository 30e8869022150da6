"""The HTTP application: middleware in its order, refusals, routes."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from theseus import __version__
from theseus.gateway import refusals
from theseus.gateway.backend import Backend
from theseus.gateway.counting import Counting
from theseus.gateway.edges import BodyLimit, Faults, RequestIds, SecurityHeaders, TellLimits
from theseus.gateway.routes import (
    auth,
    files,
    health,
    lists,
    openai,
    page,
    schedules,
    sessions,
    steering,
    streams,
    tasks,
)

ROUTERS = (
    *(health.router, page.router, openai.router, streams.router, tasks.router, steering.router),
    *(sessions.router, files.router, schedules.router, auth.router, lists.router),
)

CORS: Mapping[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    "allow_headers": [
        *("Content-Type", "Authorization", "X-API-Key", "Idempotency-Key", "traceparent", "If-Match", "Last-Event-ID"),
        *("X-Session-ID", "X-Request-ID"),
    ],
    "expose_headers": [
        *("X-Workflow-ID", "X-Session-ID", "X-Request-ID", "Link", "ETag", "Retry-After", "X-Idempotency-Cached"),
        *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
        *("X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute"),
    ],
    "max_age": 600,
}
"""What pages of other hosts may send and read; which hosts, the settings say."""


def application(backend: Backend) -> FastAPI:
    """The gateway as an ASGI application."""
    app = FastAPI(
        title="Theseus gateway",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.backend = backend
    refusals.install(app)
    for router in ROUTERS:
        app.include_router(router, responses=refusals.described(router.prefix))
    # the last that is added is the first that a request meets
    app.add_middleware(Faults)
    app.add_middleware(BodyLimit)
    app.add_middleware(TellLimits)
    app.add_middleware(SecurityHeaders)
    if backend.settings.cors:
        app.add_middleware(CORSMiddleware, allow_origins=backend.settings.cors, **CORS)
    app.add_middleware(Counting, counts=backend.counts)
    app.add_middleware(RequestIds)
    return app
