"""What had been acknowledged at a moment."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from chaos.history import Command, Outcome


class Timeline:
    """For each activity the newest version acknowledged so far, at any moment."""

    def __init__(self) -> None:
        self._ends: dict[str, list[float]] = defaultdict(list)
        self._newest: dict[str, list[int]] = defaultdict(list)

    @classmethod
    def of_versions(cls, commands: Iterable[Command]) -> "Timeline":
        timeline = cls()
        for command in sorted(commands, key=lambda command: command.ended):
            if command.outcome is Outcome.OK and command.activity is not None and command.version is not None:
                newest = timeline._newest[command.activity]
                timeline._ends[command.activity].append(command.ended)
                newest.append(max(command.version, newest[-1] if newest else 0))
        return timeline

    def at(self, activity: str, moment: float) -> int:
        """The newest version acknowledged before the moment; 0: none."""
        count = self.before(self._ends.get(activity, []), moment)
        return self._newest[activity][count - 1] if count else 0

    @staticmethod
    def before(moments: Sequence[float], moment: float) -> int:
        """How many of these sorted moments come before one."""
        return bisect_left(moments, moment)
