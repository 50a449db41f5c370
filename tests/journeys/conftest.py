"""The service the journeys share, and a new organisation with the seed's own records for each of them."""

from collections.abc import Iterator

import pytest
from service import JANE, Client, Service, database_copy

from application.postgres.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def service(server: EmbeddedPostgres, template: str) -> Iterator[Service]:
    """Two workers and a projector, started once a run."""
    with database_copy(server, template) as dsn, Service(dsn, workers=2) as service:
        yield service


@pytest.fixture
def jane(service: Service) -> Iterator[Client]:
    """Jane Manager, in an organisation that has every record the seed speaks of."""
    with service.client(user=JANE) as client:
        client.records()
        yield client
