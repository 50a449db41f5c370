"""The CRUD service put together."""

from fastapi import FastAPI

from benchmarks.peers.crud import lists, search, single, writes

SURFACE = "/api/v1/crm"


def create_app() -> FastAPI:
    app = FastAPI()
    for router in (search.router, lists.router, writes.router, single.router):
        app.include_router(router, prefix=SURFACE)
    return app
