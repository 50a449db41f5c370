"""Facts of work upon a whole log, and of logins to read it with. Names and fields are stored for ever.

What was read is never among them. Each piece of work is a stream of its own: that it began is recorded before it
begins, how it ended after it. Where nothing follows the beginning, it was cut off.
"""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class OversightFact(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: ClassVar[str]
    at: datetime


class Begun(OversightFact):
    """`what` is what it is about: what is exported, or the read tables."""

    id: str
    what: tuple[str, ...]


class ExportBegun(Begun):
    """Something is about to be written out of the service, in a `format`."""

    name = "audit.export_begun.v1"
    format: str


class ReplayBegun(Begun):
    """History is about to be read as a whole."""

    name = "audit.replay_begun.v1"


class RebuildBegun(Begun):
    name = "read_table.rebuild_begun.v1"


class RollBackBegun(Begun):
    name = "read_table.roll_back_begun.v1"


class GrantBegun(Begun):
    """An analyst is about to be let in. `what` is the login."""

    name = "analyst.grant_begun.v1"


class RevocationBegun(Begun):
    """An analyst's login, `what`, is about to be ended."""

    name = "analyst.revocation_begun.v1"


class Exported(OversightFact):
    """`rows` were written."""

    name = "audit.exported.v1"
    rows: int


class Replayed(OversightFact):
    """`drift` rows were not what history says."""

    name = "audit.replayed.v1"
    drift: int


class Rebuilt(OversightFact):
    """Other tables serve now; of those they replaced, `drift` rows were not what history says."""

    name = "read_table.rebuilt.v1"
    drift: int


class RolledBack(OversightFact):
    name = "read_table.rolled_back.v1"


class Granted(OversightFact):
    """The login reads this organisation from now on."""

    name = "analyst.granted.v1"


class Revoked(OversightFact):
    """There is no such login any more, nor any connection of it."""

    name = "analyst.revoked.v1"


class Failed(OversightFact):
    """It did not come to its end. `reason` is the kind of error, never its text."""

    name = "audit.failed.v1"
    reason: str


Beginning = ExportBegun | ReplayBegun | RebuildBegun | RollBackBegun | GrantBegun | RevocationBegun
Ending = Exported | Replayed | Rebuilt | RolledBack | Granted | Revoked | Failed
OversightEvent = Beginning | Ending
