"""The service the tests of the HTTP surface share, and an organisation of its own for each of them."""

from collections.abc import Iterator

import pytest
from service import Client, Service, database_copy

from application.postgres.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def service(server: EmbeddedPostgres, template: str) -> Iterator[Service]:
    """Two workers, a projector and a signer, started once a run."""
    with database_copy(server, template) as dsn, Service(dsn, workers=2, signer=True) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """The only user of a new organisation, which has one customer: c-1."""
    with service.client() as client:
        client.record()
        yield client
