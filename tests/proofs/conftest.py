"""A log of thirty signed events to tamper with, a new one for each test."""

from pathlib import Path

import pytest
from proving import Proving


@pytest.fixture
def proving(database: str, tmp_path: Path) -> Proving:
    """Nothing is recorded yet."""
    return Proving(database, tmp_path)


@pytest.fixture
def signed(proving: Proving) -> Proving:
    """Thirty events of acme, of which a checkpoint covers twenty, and a later one all."""
    proving.record(20)
    proving.sign()
    proving.record(10)
    proving.sign()
    assert proving.signed() == 30
    return proving
