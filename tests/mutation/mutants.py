"""mutmut at work on a copy of the checkout: the mutants of a room, and what became of each.

It leaves decorated functions and classes alone, and what stands outside of functions.
"""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from mutation.checkout import copied, database
from mutation.score import Sample, Score

_RESULT = re.compile(r"^\s*(\S+__mutmut_\d+): (.+)$", re.MULTILINE)
_NONE_OF_THEM = "no such mutant"


class Mutmut:
    """In a folder that tells it what to mutate and which tests to run, with the environment of those."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env

    def generate(self) -> list[str]:
        """Make the mutants, and find out which tests reach which; their names.

        There is no command for this alone: one to try a mutant there is not stops where it looks for it.
        """
        said = self._said("run", _NONE_OF_THEM)
        if not (names := list(self.fates())):
            raise SystemExit(f"mutmut made no mutants: {said[-4000:]}")
        return names

    def run(self, children: int, names: Sequence[str]) -> None:
        """Try these mutants, so many at once. Ends all where the tests fail without any."""
        command = self._command("run", "--max-children", str(children), *names)
        if subprocess.run(command, cwd=self._folder, env=self._env).returncode:
            raise SystemExit("mutmut gave up, no mutant was tried")

    def fates(self) -> dict[str, str]:
        """What became of each mutant there is."""
        return dict(_RESULT.findall(self._said("results", "--all", "true")))

    def change(self, name: str) -> str:
        """What a mutant changes, as a diff."""
        return self._said("show", name)

    def _said(self, *arguments: str) -> str:
        command = self._command(*arguments)
        done = subprocess.run(command, cwd=self._folder, env=self._env, capture_output=True, text=True)
        return done.stdout + done.stderr

    def _command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("mutmut")), *arguments]


def tried(name: str, room: Mapping[str, Any], children: int, most: int | None, seed: int) -> Score:
    """Try the room's mutants, all or as many as `most`, drawn by chance; what the others changed is shown."""
    with copied(room) as folder, database() as env:
        mutmut = Mutmut(folder, env)
        names = mutmut.generate()
        drawn = names if most is None or most >= len(names) else Random(seed).sample(sorted(names), most)
        mutmut.run(children, drawn)
        fates = mutmut.fates()
        sample = None if drawn is names else Sample(seed, len(names))
        score = Score(name, {name: fates[name] for name in drawn}, sample)
        for survivor in score.survivors:
            print(mutmut.change(survivor))
    return score
