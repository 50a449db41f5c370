"""Who acts where nobody shows a token: whoever may run the command on this machine."""

import os
import pwd

from application.command import Actor


def operator() -> Actor:
    """The user of the operating system this process runs as: `operator:NAME`, by the client `command-line`."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run as a user nobody named
        name = str(uid)
    return Actor(user_id=f"operator:{name}", client="command-line")
