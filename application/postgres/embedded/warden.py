"""A small process beside every user of a server: should its user be killed, it leaves in the user's place.

It shares the user's handle on the users lock and waits for the user's end of a pipe to close, which the
kernel does for the dead, too. So no server stays behind that nobody uses.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from application.postgres.embedded.home import Home
from application.postgres.embedded.locks import FileLock
from application.postgres.embedded.users import leave

_PACKAGES = Path(__file__).parents[3]
_PATIENCE = 3.0  # for what the dead user's own children still have in hand


class Warden:
    """The user's side of it."""

    def __init__(self, home: Home, users: FileLock) -> None:
        with home.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(home.path), str(users.fd)],
                env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(_PACKAGES)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(users.fd,),
            )

    def on_duty(self) -> bool:
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Our own end was clean, there is nothing left to do for it."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the end of its user is its only cue
    home, users = Home(Path(sys.argv[1])), FileLock(int(sys.argv[2]))
    os.chdir("/")
    os.read(sys.stdin.fileno(), 1)
    leave(home, users, patience=_PATIENCE)


if __name__ == "__main__":
    main()
