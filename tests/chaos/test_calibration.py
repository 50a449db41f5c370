"""Can the suite find anything? Four defects an engineer might really make are planted, and each turns it red."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chaos.arena import Arena
from chaos.campaign import Campaign, run
from chaos.checker import Broken
from chaos.faults import Fault, kill_postgres, kill_projector, nothing


def campaign_with(defect: str, faults: Sequence[tuple[str, Fault]], folder: Path, keep: Path, seed: int) -> Campaign:
    with Arena(folder, planted=[defect]) as arena:
        return run(arena, seed, faults, keep)


@pytest.mark.timeout(170)
def test_commits_that_do_not_wait_for_the_disk_are_found_lost(folder: Path, seed: int, tmp_path: Path) -> None:
    kills = [("PostgreSQL", kill_postgres)] * 3
    campaign = campaign_with("synchronous_commit=off", kills, folder, tmp_path, seed)
    assert campaign.of(Broken.LOST)


@pytest.mark.timeout(170)
def test_a_cursor_committed_before_its_table_is_found(folder: Path, seed: int, tmp_path: Path) -> None:
    kills = [("load", nothing), *[("projector", kill_projector)] * 3]
    campaign = campaign_with("cursor-first", kills, folder, tmp_path, seed)
    assert campaign.of(Broken.STALE)
    assert not campaign.of(Broken.LOST, Broken.DUPLICATED, Broken.DENSE), "the log itself is not at fault"


@pytest.mark.timeout(170)
def test_answers_kept_outside_the_transaction_are_found_to_let_commands_happen_twice(
    folder: Path, seed: int, tmp_path: Path
) -> None:
    campaign = campaign_with("idempotency-outside", [("load", nothing)] * 4, folder, tmp_path, seed)
    assert campaign.of(Broken.DUPLICATED)
    assert not campaign.of(Broken.LOST, Broken.STALE, Broken.DENSE)


@pytest.mark.timeout(170)
def test_an_ignored_if_match_is_found(folder: Path, seed: int, tmp_path: Path) -> None:
    campaign = campaign_with("if-match-ignored", [("load", nothing)] * 2, folder, tmp_path, seed)
    assert campaign.of(Broken.PRECONDITION) == campaign.violations != []
