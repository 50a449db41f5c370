"""A client under chaos: commands and questions by chance, from a seed, each written down before and after.

Like a real client it repeats under the same Idempotency-Key what was not answered, sometimes what was, and sometimes
sends the same twice at once, as impatient proxies do.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from chaos.history import Command, Outcome, Read, Recorder
from chaos.line import Line, Reply

GROUP = 50
"""Activities made under one tag: they fit on one page, so that all of them must be on it."""
MOST_TRIES = 8
PAUSE = 0.25
_LATER = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Mine:
    """An activity as this client knows it: its version, None where it cannot know, and the word that is its subject."""

    id: str
    group: str
    version: int | None
    word: str = ""


class Writer:
    """One user. `hot` are activities all writers change."""

    def __init__(self, number: int, seed: int, line: Line, fresh: Line, hot: Sequence[str], recorder: Recorder) -> None:
        self.number = number
        self._chance = Random(f"{seed} writer {number}")
        self._line, self._fresh = line, fresh
        self._hot = [Mine(id, "hot", None) for id in hot]
        self._mine: list[Mine] = []
        self._recorder = recorder
        self._made = self._words = 0
        self.answered = 0

    def run(self, stop: threading.Event) -> None:
        with ThreadPoolExecutor(1) as second:
            self._second = second
            while not stop.is_set():
                if self._chance.random() < 0.6:
                    self._command()
                else:
                    self._question()
        self._line.close()

    def _command(self) -> None:
        chance = self._chance
        if len(self._mine) < 3 or chance.random() < 0.3:
            self._create()
            return
        hot = chance.random() < 0.25
        activity = chance.choice(self._hot if hot else self._mine[-10:])
        kind = chance.choice(("rename", "note", "move", "rename") if hot else ("rename", "note", "move", "close"))
        self._change(activity, kind)

    def _create(self) -> None:
        group = f"w{self.number}-{self._made // GROUP}"
        self._made += 1
        word = self._word()
        body = {"type": "call", "subject": word, "activityable_type": "customer", "activityable_id": "c-1",
                "tags": [group], "due_at": "2025-01-01T00:00:00Z"}  # fmt: skip
        done = self._send(Command(word, self.number, "create", 0.0), "POST", "/activities", body, group)
        if done.activity is not None:
            self._mine.append(Mine(done.activity, group, done.version, word))

    def _change(self, activity: Mine, kind: str) -> None:
        word = self._word()
        method, path, body = self._request(kind, activity.id, word)
        upon = activity.version if self._chance.random() < 0.5 else None
        command = Command(word, self.number, kind, 0.0, if_match=upon, activity=activity.id)
        done = self._send(command, method, path, body)
        if done.outcome is Outcome.OK:
            activity.version, activity.word = done.version, word if kind == "rename" else activity.word
        elif done.outcome is Outcome.REFUSED:
            activity.version = None
        if activity in self._mine and (kind == "close" or done.outcome is Outcome.AMBIGUOUS):
            self._mine.remove(activity)

    def _send(self, command: Command, method: str, path: str, body: Any, group: str | None = None) -> Command:
        """Send it, perhaps more than once, and write down what is known of it then."""
        headers = {} if command.if_match is None else {"If-Match": f'"{command.if_match}"'}
        keyed = self._chance.random() < 0.7
        if keyed:
            headers["Idempotency-Key"] = f"key-{command.token}"
        doubled, patient, repeated = (self._chance.random() < odds for odds in (0.25, 0.8, 0.15))
        command = replace(command, began=time.monotonic())
        self._recorder.invoked(command, group)
        replies = [*self._at_once(method, path, body, headers, doubled=keyed and doubled)]
        for _ in range(MOST_TRIES):
            if not keyed or not patient or any(reply.ok or reply.refused for reply in replies):
                break
            time.sleep(PAUSE)
            replies.append(self._fresh.ask(method, path, body, headers))
        if keyed and repeated and any(reply.ok for reply in replies):
            replies.append(self._fresh.ask(method, path, body, headers))
        command = _judged(command, replies)
        self._recorder.answered(command)
        self.answered += command.outcome is not Outcome.AMBIGUOUS
        if command.outcome is Outcome.AMBIGUOUS:
            time.sleep(PAUSE)
        return command

    def _at_once(self, method: str, path: str, body: Any, headers: dict[str, str], *, doubled: bool) -> list[Reply]:
        if not doubled:
            return [self._line.ask(method, path, body, headers)]
        other = self._second.submit(self._fresh.ask, method, path, body, headers)
        return [self._line.ask(method, path, body, headers), other.result()]

    def _question(self) -> None:
        question = self._chance.choice((self._detail, self._detail, self._listed, self._counted, self._searched))
        question()

    def _detail(self) -> None:
        if self._mine:
            id = self._chance.choice([*self._mine[-10:], *self._hot]).id
            self._ask("detail", f"/activities/{id}", asked=id)

    def _listed(self) -> None:
        if self._mine:
            group = self._chance.choice(self._mine[-10:]).group
            self._ask("list", f"/activities?tags={group}&per_page=100", group=group)

    def _counted(self) -> None:
        self._ask("total", "/activities?per_page=1")

    def _searched(self) -> None:
        if self._mine:
            one = self._chance.choice(self._mine[-10:])
            self._ask("search", f"/activities/search?q={one.word}", asked=one.id)

    def _ask(self, question: str, path: str, asked: str | None = None, group: str | None = None) -> None:
        line = self._fresh if self._chance.random() < 0.5 else self._line
        began = time.monotonic()
        reply = line.ask("GET", path)
        if not reply.ok:  # an outage is no lie
            time.sleep(PAUSE)
            return
        data, total = reply.body["data"], reply.body.get("meta", {}).get("total")
        rows = data if isinstance(data, list) else [data]
        self._recorder.read(
            Read(
                reader=self.number,
                question=question,
                began=began,
                ended=time.monotonic(),
                seen={row["id"]: (row["version"], row["subject"]) for row in rows},
                asked=asked,
                group=group,
                total=total if question == "total" else None,
                behind=int(reply.headers.get("projection-lag", 0)),
            )
        )

    def _request(self, kind: str, id: str, word: str) -> tuple[str, str, Any]:
        """Each changes something: what changes nothing records nothing."""
        if kind == "rename":
            return "PATCH", f"/activities/{id}", {"subject": word}
        if kind == "note":
            return "PATCH", f"/activities/{id}", {"description": word}
        if kind == "move":
            due = _LATER + timedelta(minutes=100 * self._words + self.number)
            return "POST", f"/activities/{id}/reschedule", {"new_due_at": due.isoformat(), "reason": word}
        if self._chance.random() < 0.5:
            return "POST", f"/activities/{id}/complete", {"outcome": word}
        return "POST", f"/activities/{id}/cancel", {"reason": word}

    def _word(self) -> str:
        self._words += 1
        return f"q{self.number}x{self._words}z"


def _judged(command: Command, replies: Sequence[Reply]) -> Command:
    """Acknowledged once is acknowledged. A refusal after a lost answer does not tell what became of the first try."""
    told = next((reply for reply in replies if reply.ok), None)
    if told is not None:
        data = told.body["data"]
        ended = time.monotonic()
        return replace(command, ended=ended, outcome=Outcome.OK, activity=data["id"], version=data["version"])
    if all(reply.refused for reply in replies):
        return replace(command, ended=time.monotonic(), outcome=Outcome.REFUSED)
    return command
