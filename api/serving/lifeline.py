"""No child outlives its parent: each holds one end of a pipe whose other end only the parent has.

`python -m api.serving.lifeline MODULE` runs a module on the lifeline, so that it need not know of it.
"""

import os
import runpy
import signal
import sys
import threading
import time

VARIABLE = "ACTIVITIES_LIFELINE_FD"
_GRACE = 4.0


def watch_lifeline() -> None:
    """End this process soon after its parent ended, however that was. Without a lifeline: do nothing."""
    if fd := os.environ.pop(VARIABLE, None):
        os.set_inheritable(int(fd), False)
        threading.Thread(target=_follow, args=(int(fd),), name="lifeline", daemon=True).start()


def _follow(fd: int) -> None:
    os.read(fd, 1)  # nothing is ever written: this ends with the parent
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    watch_lifeline()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
