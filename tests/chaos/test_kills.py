"""Killed, cut off and rebuilt under load, by a seed: nothing acknowledged is lost, nothing happens twice.

This is the bounded part; `python -m tests.chaos` goes on for fifty rounds and through every fault.
"""

from pathlib import Path

import pytest

from chaos.arena import Arena
from chaos.campaign import assert_kept, drawn, run
from chaos.faults import KILLS, OTHERS


@pytest.mark.timeout(170)
def test_whatever_is_killed_the_promises_hold(folder: Path, seed: int, tmp_path: Path) -> None:
    faults = drawn(seed, len(KILLS) + 1, {**KILLS, "backends": OTHERS["backends"]})
    with Arena(folder) as arena:
        assert_kept(run(arena, seed, faults, tmp_path))


@pytest.mark.timeout(170)
def test_clocks_may_jump_and_tables_be_rebuilt_meanwhile(folder: Path, seed: int, tmp_path: Path) -> None:
    faults = drawn(seed, 6, {"clock": OTHERS["clock"], "rebuild": OTHERS["rebuild"]})
    with Arena(folder, planted=["clock"]) as arena:
        assert_kept(run(arena, seed, faults, tmp_path))
