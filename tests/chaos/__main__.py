"""The whole chaos suite: `python -m tests.chaos [--rounds 50] [--seed N] [--folder DIR]`.

Fifty rounds of kills, then every other fault, on a database of its own; a table and benchmarks/results/chaos.json.
Exit code 1 where a promise was broken; the histories are kept then.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("ACTIVITIES_ENCRYPTION_KEY", "a master key of the tests")  # the services' and the checker's
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own folder, as pytest has it

from chaos.whole import main

if __name__ == "__main__":
    sys.exit(main())
