"""An API worker with the defects named in CHAOS_PLANTED."""

import sys

from api.worker import main
from chaos.planted.defects import plant

if __name__ == "__main__":
    plant()
    sys.exit(main())
