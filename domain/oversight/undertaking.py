"""What is known of one piece of work, and how each fact changes it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.oversight.events import Begun, Failed, OversightEvent


class Undertaking(BaseModel):
    """`began` is the name of the fact it began with. It failed where `reason` says why."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    began: str
    what: tuple[str, ...]
    begun_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None


def evolve_undertaking(work: Undertaking | None, fact: OversightEvent) -> Undertaking:
    """The work after `fact`. Believes every fact."""
    if isinstance(fact, Begun):
        return Undertaking(id=fact.id, version=1, began=fact.name, what=fact.what, begun_at=fact.at)
    if work is None:
        raise ValueError(f"{fact.name} cannot be the first fact of an undertaking")
    reason = fact.reason if isinstance(fact, Failed) else None
    return work.model_copy(update={"version": work.version + 1, "ended_at": fact.at, "reason": reason})
