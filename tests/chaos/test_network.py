"""The database behind a bad network, and a database that is replaced by its standby."""

from pathlib import Path

import pytest

from chaos.arena import Arena
from chaos.campaign import assert_kept, drawn, run
from chaos.faults import nothing, terminate_backends
from chaos.network import cutting, proxied
from chaos.replica import replicated


@pytest.mark.timeout(170)
def test_a_commit_or_its_acknowledgement_may_be_lost_on_the_way(
    database: str, folder: Path, seed: int, tmp_path: Path
) -> None:
    with proxied(database) as proxy, Arena(folder, url=proxy.dsn) as arena:
        faults = drawn(seed, 8, cutting(proxy))
        campaign = run(arena, seed, faults, tmp_path, meanwhile=terminate_backends)
        assert_kept(campaign)
        assert proxy.cuts > 4


@pytest.mark.timeout(170)
def test_a_standby_that_is_promoted_has_everything_that_was_acknowledged(
    folder: Path, seed: int, tmp_path: Path
) -> None:
    with replicated(folder) as pair, Arena(folder, url=pair.url) as arena:
        faults = [("load", nothing), ("fail over", pair.fail_over), ("load", nothing)]
        assert_kept(run(arena, seed, faults, tmp_path))
