"""The whole chaos suite: `python -m tests.chaos [--rounds 50] [--seed N] [--folder DIR]`.

Fifty rounds of kills, then every other fault, on a database of its own; a table and benchmarks/results/chaos.json.
Exit code 1 where a promise was broken; the histories are kept then.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own folder, as pytest has it

import conftest  # noqa: F401  the master key, which checker and services have in common

from chaos.whole import main

if __name__ == "__main__":
    sys.exit(main())
