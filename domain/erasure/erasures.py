"""What is known of an organisation's erasures: how many facts there are, and which have yet to be completed."""

from pydantic import BaseModel, ConfigDict

from domain.erasure.events import ErasureBegun, ErasureEvent


class Erasures(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: int = 0
    under_way: tuple[str, ...] = ()


def evolve_erasures(erasures: Erasures | None, fact: ErasureEvent) -> Erasures:
    """The erasures after `fact`. Believes every fact."""
    known = erasures or Erasures()
    others = tuple(id for id in known.under_way if id != fact.id)
    under_way = (*others, fact.id) if isinstance(fact, ErasureBegun) else others
    return Erasures(version=known.version + 1, under_way=under_way)
