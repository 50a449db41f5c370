"""What can be wrong with an embedded PostgreSQL, each in one line for whoever operates it.

EmbeddedPostgresError
    NoBinaries     no usable PostgreSQL installation was found
    UnusableData   the data directory cannot be made, read, or shown to the user PostgreSQL runs as
    OtherMajor     the data belongs to another PostgreSQL major version
    DidNotStart    the server ended, or did not answer in time
"""


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be had; the message says why."""


class NoBinaries(EmbeddedPostgresError):
    pass


class UnusableData(EmbeddedPostgresError):
    pass


class OtherMajor(EmbeddedPostgresError):
    pass


class DidNotStart(EmbeddedPostgresError):
    pass
