"""The library's own settings, and the view outside its runner."""

import os
from typing import cast

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict

from benchmarks.peers.serve import DSN
from benchmarks.peers.stock.view import ActivityProjection, ActivityView


def environment(dsn: str | None = None) -> dict[str, str]:
    """Where its database is, with a connection for each of the 16 callers."""
    where = conninfo_to_dict(dsn or os.environ[DSN])
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(where["dbname"]),
        "POSTGRES_HOST": str(where["host"]),
        "POSTGRES_PORT": str(where["port"]),
        "POSTGRES_USER": str(where["user"]),
        "POSTGRES_PASSWORD": "none",  # trusted on the socket
        "POSTGRES_POOL_SIZE": "16",
    }


def view_of(env: dict[str, str]) -> ActivityView:
    factory = InfrastructureFactory.construct(Environment(ActivityProjection.name, env))
    return cast(ActivityView, factory.tracking_recorder(ActivityView))
