"""One process of a target: runs the module that its environment names, on a lifeline.

Its command line says that it is the benchmarks', so that nobody takes it for a service of their own and ends it.
"""

import json
import os
import runpy
import sys

from api.serving.lifeline import watch_lifeline

ARGUMENTS = "BENCHMARKS_ARGUMENTS"


def main() -> None:
    watch_lifeline()
    sys.argv = json.loads(os.environ.pop(ARGUMENTS))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
