"""Every cell of the transition table of REQUIREMENTS section 2: what is allowed leads there, what is not is refused."""

from collections.abc import Callable

import pytest
from given import (
    ID,
    LATER,
    ME,
    NOW,
    OTHER_ID,
    cancelled,
    completed,
    created,
    deferred,
    deleted,
    given,
    kinds,
    patched,
    started,
    then,
    waited,
)

from domain.activity.activity import Activity
from domain.activity.creation import recreate
from domain.activity.decisions import (
    Facts,
    cancel,
    complete,
    defer,
    delete,
    reschedule,
    restore,
    resume,
    start,
    wait,
)
from domain.activity.drafts import Completion, Recreation
from domain.refusals import NotAllowed, Unknown

TABLE = """
from                | start       | defer    | wait    | resume      | reschedule | complete  | cancel    | update      | recreate | delete  | restore
pending             | in_progress | deferred | waiting | -           | pending    | completed | cancelled | pending     | -        | deleted | -
in_progress         | -           | deferred | waiting | -           | -          | completed | cancelled | in_progress | -        | deleted | -
deferred            | -           | -        | -       | -           | pending    | -         | cancelled | deferred    | -        | deleted | -
waiting             | -           | -        | -       | pending     | waiting    | completed | cancelled | -           | -        | deleted | -
waiting once begun  | -           | -        | -       | in_progress | waiting    | completed | cancelled | -           | -        | deleted | -
completed           | -           | -        | -       | -           | -          | -         | -         | completed   | -        | deleted | -
cancelled           | -           | -        | -       | -           | -          | -         | -         | -           | new      | deleted | -
deleted             | -           | -        | -       | -           | -          | -         | -         | -           | -        | -       | pending
deleted once begun  | -           | -        | -       | -           | -          | -         | -         | -           | -        | -       | in_progress
deleted once over   | -           | -        | -       | -           | -          | -         | -         | -           | -        | -       | completed
"""  # noqa: E501  a table is read across

GIVEN = {
    "pending": given(created()),
    "in_progress": given(created(), started()),
    "deferred": given(created(), deferred()),
    "waiting": given(created(), waited()),
    "waiting once begun": given(created(), started(), waited()),
    "completed": given(created(), completed()),
    "cancelled": given(created(), cancelled()),
    "deleted": given(created(), deleted()),
    "deleted once begun": given(created(), started(), deleted()),
    "deleted once over": given(created(), completed(), deleted()),
}

WHEN: dict[str, Callable[[Activity], Facts]] = {
    "start": lambda a: start(a, now=NOW),
    "defer": lambda a: defer(a, reason="not now", now=NOW),
    "wait": lambda a: wait(a, reason="for them", now=NOW),
    "resume": lambda a: resume(a, now=NOW),
    "reschedule": lambda a: reschedule(a, due_at=LATER, now=NOW),
    "complete": lambda a: complete(a, Completion(outcome="done"), now=NOW),
    "cancel": lambda a: cancel(a, reason="not needed", now=NOW),
    "update": lambda a: patched(a, description="a note"),
    "recreate": lambda a: recreate(a, Recreation(), id=OTHER_ID, actor=ME, currency="USD", now=NOW),
    "delete": lambda a: delete(a, now=NOW),
    "restore": lambda a: restore(a, now=NOW),
}


def cells() -> list[tuple[str, str, str, set[str]]]:
    """(from, action, where it leads or "-", all that is allowed from there)."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    found = []
    for whence, *leads in rows:
        allowed = {action for action, to in zip(head[1:], leads, strict=True) if to != "-"}
        found += [(whence, action, to, allowed) for action, to in zip(head[1:], leads, strict=True)]
    return found


ALLOWED = [cell[:3] for cell in cells() if cell[2] not in ("-", "new", "deleted")]
REFUSED = [(whence, action, allowed) for whence, action, to, allowed in cells() if to == "-"]
OF_DELETED = [whence for whence in GIVEN if whence.startswith("deleted")]


def test_the_table_has_every_status_and_every_action() -> None:
    assert {whence for whence, *_ in cells()} == set(GIVEN)
    assert {action for _, action, *_ in cells()} == set(WHEN)
    assert len(cells()) == len(GIVEN) * len(WHEN)


@pytest.mark.parametrize(("whence", "action", "to"), ALLOWED)
def test_an_allowed_action_leads_where_the_table_says(whence: str, action: str, to: str) -> None:
    activity = GIVEN[whence]
    facts = WHEN[action](activity)
    reached = then(activity, facts)
    assert len(facts) == 1
    assert reached.status == to
    assert reached.deleted_at is None
    assert reached.version == activity.version + 1
    assert reached.updated_at == NOW


@pytest.mark.parametrize(
    "whence", [whence for whence, action, to, _ in cells() if (action, to) == ("delete", "deleted")]
)
def test_deleting_keeps_the_status_and_restoring_brings_everything_back(whence: str) -> None:
    activity = GIVEN[whence]
    gone = then(activity, WHEN["delete"](activity))
    assert (gone.status, gone.deleted_at) == (activity.status, NOW)
    back = then(gone, WHEN["restore"](gone))
    assert back == activity._replace(version=back.version, updated_at=back.updated_at)


@pytest.mark.parametrize(("whence", "action", "allowed"), [r for r in REFUSED if r[0] not in OF_DELETED])
def test_any_other_action_is_refused_saying_what_is_allowed(whence: str, action: str, allowed: set[str]) -> None:
    with pytest.raises(NotAllowed) as refusal:
        WHEN[action](GIVEN[whence])
    assert set(refusal.value.allowed_actions) == allowed
    assert refusal.value.action == action


@pytest.mark.parametrize(("whence", "action"), [r[:2] for r in REFUSED if r[0] in OF_DELETED])
def test_on_a_deleted_activity_anything_but_restore_is_as_if_it_were_not_there(whence: str, action: str) -> None:
    with pytest.raises(Unknown):
        WHEN[action](GIVEN[whence])


@pytest.mark.parametrize("whence", GIVEN)
def test_an_activity_lists_exactly_what_is_allowed_now(whence: str) -> None:
    allowed = next(allowed for status, _, _, allowed in cells() if status == whence)
    assert set(GIVEN[whence].allowed_actions) == allowed
    assert len(GIVEN[whence].allowed_actions) == len(allowed)


def test_recreating_makes_a_new_pending_activity_and_leaves_the_cancelled_one() -> None:
    facts = WHEN["recreate"](GIVEN["cancelled"])
    recreated = then(None, facts)
    assert kinds(facts) == ["Created"]
    assert (recreated.id, recreated.status, recreated.recreated_from_id) == (OTHER_ID, "pending", ID)


@pytest.mark.parametrize("action", WHEN)
def test_no_action_finds_an_activity_that_never_was(action: str) -> None:
    with pytest.raises(Unknown):
        WHEN[action](None)  # type: ignore[arg-type]
