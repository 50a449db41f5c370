"""A projector with the defects named in CHAOS_PLANTED."""

import sys

from chaos.planted.defects import plant
from projections.__main__ import main

if __name__ == "__main__":
    plant()
    sys.exit(main())
