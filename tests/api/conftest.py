"""The service the tests of the HTTP surface share, and an organisation of its own for each of them."""

import os
from collections.abc import Iterator

import pytest
from in_process import InProcess
from service import Client, Service, database_copy

from application.postgres.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def service(server: EmbeddedPostgres, template: str) -> Iterator[Service]:
    """Two workers and a projector, started once a run; threads of this process where mutants are to be noticed."""
    kind = InProcess if os.environ.get("ACTIVITIES_TESTS_IN_PROCESS") else Service
    with database_copy(server, template) as dsn, kind(dsn, workers=2) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """The only user of a new organisation, which has one customer: c-1."""
    with service.client() as client:
        client.record()
        yield client
