"""Before anything is measured: do the targets say the same of the same data?"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from benchmarks.data.words import FREQUENT, TOPICS, misspelt, word
from benchmarks.load.requests import Requests
from benchmarks.scenarios.asking import Json, answer
from benchmarks.targets.target import Target

_PEERS = ("service", "crud", "stock")
_SAME = (
    "type status subject description activityable_type activityable_id contact_id assigned_user_id priority "
    "location tags due_at"
).split()
_NAMED = ("activityable", "contact", "assigned_user")
_QUESTIONS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("/activities", {"status": "pending", "priority": "high"}),
    ("/activities", {"status": "completed", "page": 3}),
    ("/activities/overdue", {}),
)


class Implausible(Exception):
    """A target does not do what it is compared for."""


def check(targets: Mapping[str, Target]) -> int:
    """Compare the answers of the targets that hold data; how many comparisons were made. Raises Implausible."""
    peers = [targets[name] for name in _PEERS if name in targets]
    compared = sum(_check_life(peer) for peer in peers)
    service, crud = targets.get("service"), targets.get("crud")
    if service is not None and crud is not None:
        compared += _check_questions(service, crud)
    return compared


def _check_life(target: Target) -> int:
    """An activity is made, moved, changed, completed, and found as it was left."""
    requests, sample = Requests(target), target.main
    said = sample.said(1, sample.now + timedelta(days=3))
    made = answer(target, requests.post("/activities", said))["data"]
    to = (sample.now + timedelta(days=9)).isoformat()
    path = f"/activities/{made['id']}"
    answer(target, requests.post(f"{path}/reschedule", {"new_due_at": to}))
    answer(target, requests.patch(path, {"location": "Elsewhere"}))
    left = answer(target, requests.post(f"{path}/complete", {"outcome": "Done"}))["data"]
    target.settle()
    found = answer(target, requests.get(path))["data"]
    told = [name for name in _SAME if name in said and name != "due_at"]  # which each writes in its own way
    _agree(target, "what was said", {name: said[name] for name in told}, {name: made[name] for name in told})
    expected = {"status": "completed", "location": "Elsewhere", "outcome": "Done"}
    for shown in (left, found):
        _agree(target, "what became of it", expected, {name: shown[name] for name in expected})
    return 3


def _check_questions(service: Target, crud: Target) -> int:
    """Both list the same activities in the same order, find as many, and show one in full with the same names."""
    rare = word(FREQUENT + 7)
    for path, asked in _QUESTIONS:
        ours, theirs = (_answer(target, path, asked) for target in (service, crud))
        _agree(crud, f"{path} {asked}", _page(ours), _page(theirs))
    searches = (rare, f"{TOPICS[0]} {word(3)}", TOPICS[1])
    for q in searches:
        hits, theirs_too = (_hits(target, q) for target in (service, crud))
        _agree(crud, f"the number of hits for {q}", hits, theirs_too)
        if not hits:
            raise Implausible(f"nothing is found for {q}")
    for target in (service, crud):
        if (found := _hits(target, misspelt(rare))) < (right := _hits(target, rare)):
            raise Implausible(f"{target.name} finds {right} for {rare}, but {found} for {misspelt(rare)}")
    one = next(service.main.activities()).key
    ours, theirs = (_answer(target, f"/activities/{target.id_of(one)}", {})["data"] for target in (service, crud))
    _agree(crud, "an activity in full", _of(ours), _of(theirs))
    _agree(crud, "the names of its records", *([told[who]["name"] for who in _NAMED] for told in (ours, theirs)))
    return len(_QUESTIONS) + len(searches) + 4


def _answer(target: Target, path: str, asked: Mapping[str, Any]) -> Json:
    return answer(target, Requests(target).get(path, **asked))


def _hits(target: Target, q: str) -> int:
    return int(_answer(target, "/activities/search", {"q": q})["meta"]["total"])


def _page(told: Json) -> Any:
    return told["meta"]["total"], [_of(row) for row in told["data"]]


def _of(activity: Json) -> Json:
    return {name: activity[name] for name in _SAME}


def _agree(target: Target, what: str, expected: Any, found: Any) -> None:
    if expected != found:
        raise Implausible(f"{target.name} does not agree on {what}:\nexpected {expected}\nfound    {found}")
