"""The service the tests of the HTTP surface share, and an organisation of its own for each of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from service import SECRET, Client, Service, database_copy

from application.postgres.embedded import EmbeddedPostgres

ACTIVITIES = Path(sys.executable).parent / "activities"


@pytest.fixture(scope="session")
def service(server: EmbeddedPostgres, template: str) -> Iterator[Service]:
    """Two workers, a projector and a signer, started once a run; threads of this process where mutants are noticed."""
    kind = InProcess if os.environ.get("ACTIVITIES_TESTS_IN_PROCESS") else Service
    with database_copy(server, template) as dsn, kind(dsn, workers=2, signer=True) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """The only user of a new organisation, which has one customer: c-1."""
    with service.client() as client:
        client.record()
        yield client


@pytest.fixture
def run(service: Service, tmp_path: Path) -> Any:
    """`activities ...` on the service's database; further names are environment variables."""
    env = {
        **os.environ,
        "ACTIVITIES_DATABASE_URL": service.dsn,
        "ACTIVITIES_DATA_DIR": str(tmp_path),
        "ACTIVITIES_JWT_SECRET": SECRET,
    }

    def run(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ACTIVITIES, *arguments], env=env | more, capture_output=True, text=True, timeout=60, check=False
        )

    return run
