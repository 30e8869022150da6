"""The HTTP application: middleware in its order, refusals, routes."""

from fastapi import FastAPI

from theseus import __version__
from theseus.gateway import refusals
from theseus.gateway.backend import Backend
from theseus.gateway.edges import BodyLimit, RequestIds, SecurityHeaders, TellLimits
from theseus.gateway.routes import auth, files, health, openai, page, sessions, steering, streams, tasks

ROUTERS = (
    *(health.router, page.router, openai.router, streams.router, tasks.router, steering.router),
    *(sessions.router, files.router, auth.router),
)


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
        app.include_router(router)
    # the last that is added is the first that a request meets
    app.add_middleware(BodyLimit)
    app.add_middleware(TellLimits)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestIds)
    return app
