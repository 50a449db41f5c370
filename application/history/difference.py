"""Two moments of one stream, and the facts between them that count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.history.chronicle import Chapter, retold
from application.history.moments import Moment, happened_by, known_by


@dataclass(frozen=True, slots=True)
class Between:
    """The last fact that counts at each of two moments (None: none did), and those that count at the later one only."""

    start: Chapter | None
    end: Chapter | None
    causes: list[Chapter]


def known_between(chapters: Sequence[Chapter], start: Moment, end: Moment) -> Between:
    """By what was known at each moment."""
    return _between(chapters, [known_by(c, start) for c in chapters], [known_by(c, end) for c in chapters])


def happened_between(chapters: Sequence[Chapter], start: datetime, end: datetime) -> Between:
    """By what had happened at each instant, as known now."""
    times = [chapter.happened_at for chapter in chapters]
    return _between(chapters, happened_by(times, start), happened_by(times, end))


def _between(chapters: Sequence[Chapter], at_start: Sequence[bool], at_end: Sequence[bool]) -> Between:
    started, ended = _story_of(chapters, at_start), _story_of(chapters, at_end)
    known = {chapter.version for chapter in started}
    causes = [chapter for chapter in ended if chapter.version not in known]
    return Between(started[-1] if started else None, ended[-1] if ended else None, causes)


def _story_of(chapters: Sequence[Chapter], counting: Sequence[bool]) -> list[Chapter]:
    """The story as it goes with the facts that count: as it went, where these are simply the first of them."""
    kept = [chapter for chapter, counts in zip(chapters, counting, strict=True) if counts]
    return kept if not kept or kept[-1] is chapters[len(kept) - 1] else retold(kept)
