"""Why there is no backup, or why one is not restored; each message is one line for whoever operates it.

BackupError
    Unreadable     the file is no backup, was cut short, or is damaged
    Refused        it could be done, and would do harm
"""


class BackupError(Exception):
    """The message says why."""


class Unreadable(BackupError):
    pass


class Refused(BackupError):
    pass
