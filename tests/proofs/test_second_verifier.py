"""A second verifier, in another language and from the standards alone, agrees: so the format is what they say."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from proving import Proving

from application.proof.merkle import consistency, inclusion, leaf_hash, root, root_of
from application.proof.tiles import grown, node_of

NODE = shutil.which("node")
VERIFIER = Path(__file__).with_name("verifier.mjs")
SIZES = range(1026)

pytestmark = pytest.mark.skipif(NODE is None, reason="the second verifier is written for node, which is not here")


def by_node(*arguments: str) -> tuple[int, str]:
    assert NODE is not None
    done = subprocess.run([NODE, str(VERIFIER), *arguments], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def trees() -> Iterator[dict[str, Any]]:
    """Every tree over the leaves "0", "1", ...: proofs of its first, its last and two other leaves, and of growth
    from one leaf, from the tree before, and from two other sizes."""
    chance = Random(9162)
    leaves = [leaf_hash(b"%d" % number) for number in range(SIZES.stop)]
    node = node_of(dict(grown(0, {}, leaves)))
    for size in SIZES:
        places = sorted({0, size - 1, *(chance.randrange(size) for _ in range(2))}) if size else []
        firsts = sorted({1, max(size - 1, 1), size, *(chance.randint(1, size) for _ in range(2))}) if size else []
        yield {
            "size": size,
            "root": root(size, node).hex(),
            "inclusions": [
                {"index": place, "path": [one.hex() for one in inclusion(place, size, node)]} for place in places
            ],
            "consistencies": [
                {"first": first, "path": [one.hex() for one in consistency(first, size, node)]} for first in firsts
            ],
        }


def test_it_agrees_about_every_tree_of_0_to_1025_leaves(tmp_path: Path) -> None:
    file = tmp_path / "trees.ndjson"
    told = list(trees())
    file.write_text("".join(f"{json.dumps(tree)}\n" for tree in told))
    proofs = sum(len(tree["inclusions"]) + len(tree["consistencies"]) for tree in told)
    assert by_node("trees", str(file)) == (0, f"ok: 1026 trees, {proofs} proofs\n")


@pytest.mark.parametrize("what", ["root", "inclusions", "consistencies"])
def test_it_can_disagree(tmp_path: Path, what: str) -> None:
    tree = list(trees())[700]
    if what == "root":
        tree["root"] = root_of([]).hex()
    else:
        tree[what][1]["path"][0] = "00" * 32
    file = tmp_path / "trees.ndjson"
    file.write_text(json.dumps(tree))
    code, said = by_node("trees", str(file))
    assert code == 1
    assert "700" in said


def test_it_agrees_about_a_bundle(signed: Proving) -> None:
    bundle = signed.bundle()
    assert by_node("bundle", str(bundle), signed.key()) == (0, "ok: 30 events\n")
    events = bundle / "events.ndjson"
    events.write_text(events.read_text().replace("l-1", "l-2", 1))
    assert by_node("bundle", str(bundle), signed.key()) == (1, "these are not the events that were signed\n")
    assert signed.verify(bundle).code == 1
