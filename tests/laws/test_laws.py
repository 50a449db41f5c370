"""Laws that hold whatever is commanded: hypothesis looks for the plan of commands that breaks one."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import serving
from plans import ACTIVITIES, Organization, Step, key_of, plans
from service import SECRET

from api.http.tokens import issue
from application.command import AUDIT_RECEIPT, Answer
from application.event_store.mapper import State, advance, decode
from domain.activity.activity import Activity
from domain.api_key.api_key import ApiKey
from domain.record.record import Record
from domain.refusals import Refusal

a_law = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "golden_events.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def door_of_a_worker(module_database: str) -> Iterator[str]:
    with serving(module_database, related_records="lenient") as url:
        yield url


@given(plan=plans(), chance=st.randoms(use_true_random=False))
@a_law
def test_a_retry_is_silence(module_database: str, plan: list[Step], chance: Any) -> None:
    """However often and whenever what succeeded is asked again under its key: the log is as if it had not been."""
    once, often = Organization(module_database), Organization(module_database)
    keyed = [(step, f"k-{n}") for n, step in enumerate(plan)]
    first = [outcome for [outcome] in once.carry_out(*([one] for one in keyed))]
    succeeded = [n for n, outcome in enumerate(first) if isinstance(outcome, Answer)]
    rounds, repeated = [], []
    for n, one in enumerate(keyed):
        again = [k for k in succeeded if k <= n and chance.random() < 0.2]
        rounds.append([one, *(keyed[k] for k in again)])
        repeated.append([n, *again])

    outcomes = often.carry_out(*rounds)

    assert often.story() == once.story()
    for of_round, asked in zip(outcomes, repeated, strict=True):
        for place, (outcome, n) in enumerate(zip(of_round, asked, strict=True)):
            expected = first[n]
            assert isinstance(outcome, Answer) == isinstance(expected, Answer)
            if isinstance(outcome, Answer) and isinstance(expected, Answer):
                original = outcomes[n][0]
                assert isinstance(original, Answer)
                assert told(outcome) == told(original)
                assert without_receipt(outcome) == without_receipt(expected)
                assert outcome.replayed == (place > 0)


def told(answer: Answer) -> tuple[int, bytes, Mapping[str, str]]:
    return answer.status, answer.body, answer.headers


def without_receipt(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """Two organisations never have a receipt in common."""
    headers = {name: value for name, value in answer.headers.items() if name != AUDIT_RECEIPT}
    return answer.status, answer.body, headers


@given(plan=plans(), chance=st.randoms(use_true_random=False))
@a_law
def test_the_order_of_commands_on_different_activities_does_not_matter(
    module_database: str, plan: list[Step], chance: Any
) -> None:
    """Each activity's own commands keep their order; between activities they come in another, and in other batches."""
    waiting = {n: [step for step in plan if step.activity == n] for n in range(ACTIVITIES)}
    otherwise: list[Step] = []
    while any(waiting.values()):
        otherwise.append(waiting[chance.choice([n for n, steps in waiting.items() if steps])].pop(0))
    cut = chance.randrange(len(otherwise) + 1)
    one, other = Organization(module_database), Organization(module_database)

    outcomes = one.carry_out(*([(step, None)] for step in plan))
    others = other.carry_out([(step, None) for step in otherwise[:cut]], [(step, None) for step in otherwise[cut:]])

    assert apart(other.activities()) == apart(one.activities())
    told = {n: [kind_of(o) for step, [o] in zip(plan, outcomes, strict=True) if step.activity == n] for n in range(3)}
    flat = [outcome for of_round in others for outcome in of_round]
    told_otherwise = {
        n: [kind_of(o) for step, o in zip(otherwise, flat, strict=True) if step.activity == n] for n in range(3)
    }
    assert told_otherwise == told


@given(plan=plans(), chance=st.randoms(use_true_random=False))
@settings(a_law, max_examples=12)
def test_tables_built_anew_are_the_live_ones(module_database: str, plan: list[Step], chance: Any) -> None:
    """Projected bit by bit while it was written, or all at once from nothing: the same rows, the same counts."""
    organization = Organization(module_database)
    for step in plan:
        organization.carry_out([(step, None)])
        if chance.random() < 0.4:
            organization.project(upto=chance.randint(1, len(plan)))
    organization.project()
    live = organization.tables()

    organization.forget_tables()
    organization.project()

    assert organization.tables() == live
    assert live["activity_list"], "there was something to compare"


@given(plan=plans())
@settings(a_law, max_examples=15)
def test_as_of_now_is_what_is_live(module_database: str, door_of_a_worker: str, plan: list[Step]) -> None:
    organization = Organization(module_database)
    organization.carry_out([(step, None) for step in plan])
    organization.project()
    token = issue(
        SECRET, organization=organization.id, user="u-1", scopes=("activities:read",), ttl=3600, now=time.time()
    )
    with httpx.Client(base_url=door_of_a_worker, headers={"Authorization": f"Bearer {token}"}) as http:
        for step in plan[:ACTIVITIES]:
            path = f"/api/v1/crm/activities/{step.activity_id}"
            live, then = http.get(path), http.get(path, params={"as_of": "2099-01-01T00:00:00Z"})
            assert live.status_code == then.status_code
            if live.status_code == 200:
                assert then.json()["data"] == live.json()["data"]
            else:
                assert organization.activities()[key_of(step)].deleted_at is not None


KINDS: dict[str, type[Any]] = {"activity": Activity, "record": Record, "api_key": ApiKey}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(a_law, max_examples=60)
def test_evolve_is_total_over_every_event_ever_stored(kind: str, data: st.DataObject) -> None:
    """Whatever followed whatever in a stream, it can be read; the corpus has every stored name there ever was."""
    stored = [(one["name"], json.dumps(one["stored"]).encode()) for one in GOLDEN if one["name"].startswith(f"{kind}.")]
    first = next(one for one in stored if ".created." in one[0])
    rest = [one for one in stored if one is not first]
    history = [first, *data.draw(st.lists(st.sampled_from(rest), max_size=20))]

    state: State | None = None
    for position, (topic, said) in enumerate(history, start=1):
        state = advance(state, decode(topic, said), position)

    assert isinstance(state, KINDS[kind])
    assert state.version == len(history)


def apart(activities: dict[Any, Activity]) -> dict[Any, Activity]:
    """Without what tells of their places in the organisation's log."""
    return {key: one._replace(number=0, follow_up_opened=None) for key, one in activities.items()}


def kind_of(outcome: object) -> object:
    """The refusal's kind, or that there was none."""
    return type(outcome).__name__ if isinstance(outcome, Refusal) else "done"
