"""Lists agree with a brute-force oracle over 500 activities: filters, orders, ties, pages, cursors, overdue."""

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from service import Client, Json, Service

SEED = 20251220
ACTIVITIES = 500
ME = "u-1"
USERS = (ME, "u-2", "u-3")
CONTACTS = ("p-1", "p-2")
RECORDS: Mapping[tuple[str, str], float | None] = {
    ("opportunity", "o-1"): 150000.0,
    ("opportunity", "o-2"): 99.5,
    ("opportunity", "o-3"): 99.5,
    ("opportunity", "o-4"): None,
    ("customer", "c-1"): None,
    ("lead", "l-1"): None,
    ("account", "c-1"): None,
}
"""The related records there are and their values; one id is used for two kinds."""
NOUNS = {"opportunity": "opportunities", "customer": "customers", "lead": "leads", "account": "accounts"}
TYPES = ("call", "email", "meeting", "note")
PRIORITIES = ("low", "medium", "high", "urgent", "critical")
STATUSES = ("pending", "in_progress", "waiting", "deferred", "completed", "cancelled")
OPEN = {"pending", "in_progress", "waiting", "deferred"}
CAN_BE_LATE = {"pending", "in_progress", "waiting"}
TAGS = ("a", "b", "Straße", "with space", "x-y")
WORDS = ("alpha", "Beta", "GAMMA", "50%", "under_score", "back\\slash", "Gärtnerei", "straße", "o'neil")
ZONES = ("UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")
NOON = datetime(2025, 12, 20, 12, tzinfo=UTC)
DUE = (
    None,
    *(NOON + timedelta(hours=7 * n) for n in range(-20, 20)),
    *(datetime(2025, 12, 20, 23, 59, 59, 999999, tzinfo=UTC) + timedelta(days=n) for n in range(3)),
    *(datetime(2025, 12, 20, tzinfo=ZoneInfo(zone)).astimezone(UTC) for zone in ZONES),
    *(datetime(2099, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(10)),
)
"""Few instants for many activities: ties; the ends of days in every zone; some far in the future."""


@dataclass(frozen=True)
class Crowd:
    """An organisation's activities as it was told of them, and its user."""

    client: Client
    visible: list[Json]
    deleted: list[Json]


@pytest.fixture(scope="module")
def crowd(service: Service) -> Iterator[Crowd]:
    with service.client(user=ME) as client:
        for (kind, id_), value in RECORDS.items():
            fields = {} if value is None else {"value": value}
            client.record(NOUNS[kind], id_, **fields)
        for id_ in CONTACTS:
            client.record("contacts", id_)
        for id_ in USERS:
            client.record("users", id_)
        chance = random.Random(SEED)
        wanted = [invented(chance) for _ in range(ACTIVITIES)]
        gone = {n for n in range(ACTIVITIES) if chance.random() < 0.05}
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda fields: client.create_in(**fields), wanted))
            list(pool.map(lambda n: client.delete(made[n]), gone))
        visible = [activity for n, activity in enumerate(made) if n not in gone]
        yield Crowd(client, visible, [made[n] for n in gone])


def invented(chance: random.Random) -> Json:
    kind, id_ = chance.choice(list(RECORDS))
    due = chance.choice(DUE) if chance.random() < 0.85 else None
    return {
        "status": chance.choice(STATUSES),
        "type": chance.choice(TYPES),
        "priority": chance.choice(PRIORITIES),
        "subject": " ".join(chance.choices(WORDS, k=2)),
        "description": chance.choice([None, *WORDS]),
        "activityable_type": kind,
        "activityable_id": id_,
        "contact_id": chance.choice([None, *CONTACTS]),
        "assigned_user_id": chance.choice(USERS),
        "due_at": None if due is None else due.isoformat(),
        "tags": chance.sample(TAGS, chance.randrange(4)),
    }


Keep = Callable[[Json], bool]
Asked = dict[str, str]
Order = Callable[[Json], Any]


def due_of(row: Json) -> datetime | None:
    return None if row["due_at"] is None else datetime.fromisoformat(row["due_at"])


def is_late(row: Json) -> bool:
    due = due_of(row)
    return due is not None and row["status"] in CAN_BE_LATE and due < datetime.now(UTC)


def a_few(chance: random.Random, words: tuple[str, ...]) -> list[str]:
    return chance.sample(words, chance.choice([1, 1, 2, min(3, len(words))]))


def by_status(chance: random.Random) -> tuple[Asked, Keep]:
    asked = a_few(chance, (*STATUSES, "overdue", "open", "closed"))
    said = ",".join(word.upper() if chance.random() < 0.2 else word for word in asked)

    def keep(row: Json) -> bool:
        is_open = row["status"] in OPEN
        return (
            row["status"] in asked
            or ("open" in asked and is_open)
            or ("closed" in asked and not is_open)
            or ("overdue" in asked and is_late(row))
        )

    return {"status": said}, keep


def one_of(name: str, words: tuple[str, ...], of: Callable[[Json], str | None]) -> Any:
    def choose(chance: random.Random) -> tuple[Asked, Keep]:
        asked = a_few(chance, words)
        return {name: ", ".join(asked)}, lambda row: of(row) in asked

    return choose


def by_assignee(chance: random.Random) -> tuple[Asked, Keep]:
    asked = a_few(chance, ("me", "u-2", "u-3", "nobody"))
    users = {ME if user == "me" else user for user in asked}
    return {"assigned_user_id": ",".join(asked)}, lambda row: row["assigned_user"]["id"] in users


def by_record(chance: random.Random) -> tuple[Asked, Keep]:
    """By id alone, which may be of several kinds, or by kind and id."""
    kind, id_ = chance.choice(list(RECORDS))
    if chance.random() < 0.5:
        return {"activityable_id": id_}, lambda row: row["activityable_id"] == id_
    asked = {"activityable_id": id_, "activityable_type": kind}
    return asked, lambda row: (row["activityable_type"], row["activityable_id"]) == (kind, id_)


def by_tags(chance: random.Random) -> tuple[Asked, Keep]:
    asked = set(a_few(chance, TAGS))
    return {"tags": ",".join(asked)}, lambda row: bool(asked & set(row["tags"]))


def by_text(chance: random.Random) -> tuple[Asked, Keep]:
    word = chance.choice(WORDS)
    piece = word[chance.randrange(len(word) - 1) :].swapcase()
    return {"search": piece}, lambda row: piece.casefold() in f"{row['subject']}\n{row['description'] or ''}".casefold()


def by_days(chance: random.Random) -> tuple[Asked, Keep]:
    """Whole days of a zone, each end included."""
    name = chance.choice(ZONES)
    zone = ZoneInfo(name)
    start = date(2025, 12, 14) + timedelta(days=chance.randrange(12))
    end = start + timedelta(days=chance.randrange(5))
    ends = chance.choice([{"due_date_from": start}, {"due_date_to": end}, {"due_date_from": start, "due_date_to": end}])
    asked = {key: day.isoformat() for key, day in ends.items()}
    if name != "UTC" or chance.random() < 0.5:
        asked["tz"] = name

    def keep(row: Json) -> bool:
        due = due_of(row)
        if due is None:
            return False
        day = due.astimezone(zone).date()
        return ends.get("due_date_from", date.min) <= day <= ends.get("due_date_to", date.max)

    return asked, keep


def by_instants(chance: random.Random) -> tuple[Asked, Keep]:
    """Instants that some are due at exactly: each end is included."""
    first, last = sorted(chance.sample([due for due in DUE if due is not None], 2))
    asked = {
        "due_date_from": first.astimezone(ZoneInfo(chance.choice(ZONES))).isoformat(),
        "due_date_to": last.isoformat().replace("+00:00", "Z"),
    }

    def keep(row: Json) -> bool:
        due = due_of(row)
        return due is not None and first <= due <= last

    return asked, keep


FILTERS: tuple[Callable[[random.Random], tuple[Asked, Keep]], ...] = (
    by_status,
    one_of("type", TYPES, lambda row: row["type"]),
    one_of("priority", PRIORITIES, lambda row: row["priority"]),
    one_of("activityable_type", ("opportunity", "customer", "lead"), lambda row: row["activityable_type"]),
    one_of("contact_id", CONTACTS, lambda row: row["contact_id"]),
    by_assignee,
    by_record,
    by_tags,
    by_text,
    by_days,
    by_instants,
)
ORDERS: Mapping[str, Order] = {
    "due_at": due_of,
    "created_at": lambda row: datetime.fromisoformat(row["created_at"]),
    "priority": lambda row: PRIORITIES.index(row["priority"]),
}
LATE_ORDERS: Mapping[str, Order] = {
    "due_at": due_of,
    "days_overdue": lambda row: -due_of(row).timestamp(),  # type: ignore[union-attr]  # what is late is due
    "priority": ORDERS["priority"],
    "entity_value": lambda row: RECORDS[row["activityable_type"], row["activityable_id"]],
}


def combination(chance: random.Random) -> tuple[Asked, Keep]:
    asked: Asked = {}
    keeps: list[Keep] = []
    for choose in chance.sample(FILTERS, chance.choice([0, 1, 1, 1, 2, 2, 3])):
        more, keep = choose(chance)
        if not asked.keys() & more.keys():
            asked |= more
            keeps.append(keep)
    return asked, lambda row: all(keep(row) for keep in keeps)


def sorted_as_asked(rows: list[Json], order: Order, *, descending: bool) -> list[str]:
    """Nulls last in both directions, ties by id in the same direction."""
    with_value = sorted(
        (row for row in rows if order(row) is not None),
        key=lambda row: (order(row), row["id"]),
        reverse=descending,
    )
    without = sorted((row for row in rows if order(row) is None), key=lambda row: row["id"], reverse=descending)
    return [row["id"] for row in [*with_value, *without]]


def an_order(chance: random.Random, orders: Mapping[str, Order]) -> tuple[Asked, Order, bool]:
    """An order as asked for; what is the default may be left out."""
    name = chance.choice(list(orders))
    descending = chance.random() < 0.5
    asked = {"sort_by": name, "sort_direction": "desc" if descending else "asc"}
    if name == "due_at" and chance.random() < 0.5:
        del asked["sort_by"]
    if not descending and chance.random() < 0.5:
        del asked["sort_direction"]
    return asked, orders[name], descending


def walked_by_page(client: Client, path: str, asked: Asked, per_page: int, total: int) -> list[str]:
    ids: list[str] = []
    last = max(1, -(-total // per_page))
    for page in range(1, last + 2):
        body = client.ok("GET", path, params={**asked, "per_page": per_page, "page": page})
        meta = body["meta"]
        assert (meta["current_page"], meta["per_page"]) == (page, per_page)
        assert (meta["total"], meta["last_page"]) == (total, last)
        assert (meta["next_cursor"] is None) == (page >= last)
        ids += [row["id"] for row in body["data"]]
    return ids


def walked_by_cursor(client: Client, path: str, asked: Asked, per_page: int, total: int) -> list[str]:
    ids: list[str] = []
    cursor: Asked = {}
    while True:
        body = client.ok("GET", path, params={**asked, "per_page": per_page, **cursor})
        ids += [row["id"] for row in body["data"]]
        if cursor:
            assert body["meta"].keys() == {"per_page", "next_cursor"}
        if body["meta"]["next_cursor"] is None:
            return ids
        assert len(body["data"]) == per_page
        cursor = {"cursor": body["meta"]["next_cursor"]}


@pytest.mark.parametrize("part", range(6))
@pytest.mark.parametrize(
    ("path", "orders"),
    [("/activities", ORDERS), ("/activities/overdue", LATE_ORDERS)],
    ids=["activities", "overdue"],
)
def test_a_list_is_what_the_oracle_says(crowd: Crowd, path: str, orders: Mapping[str, Order], part: int) -> None:
    chance = random.Random(f"{SEED} {path} {part}")
    there = crowd.visible if path == "/activities" else [row for row in crowd.visible if is_late(row)]
    found = 0
    for _ in range(40):
        asked, keep = combination(chance)
        how, order, descending = an_order(chance, orders)
        expected = sorted_as_asked([row for row in there if keep(row)], order, descending=descending)
        per_page = min(100, max(1, len(expected) // chance.randint(1, 4) + chance.randint(-1, 1)))
        walk = chance.choice([walked_by_page, walked_by_cursor])
        ids = walk(crowd.client, path, asked | how, per_page, len(expected))
        assert ids == expected, f"{asked | how} by {per_page}"
        found += len(expected)
    assert found > 500  # the combinations are not all empty


def test_without_parameters_the_first_25_by_due_date_with_those_without_one_last(crowd: Crowd) -> None:
    body = crowd.client.ok("GET", "/activities")
    expected = sorted_as_asked(crowd.visible, due_of, descending=False)
    assert [row["id"] for row in body["data"]] == expected[:25]
    assert body["meta"].items() >= {"current_page": 1, "per_page": 25, "total": len(expected)}.items()


def test_a_row_is_the_whole_activity(crowd: Crowd) -> None:
    rows = {row["id"]: row for row in crowd.client.rows(per_page=100)}
    by_id = {row["id"]: row for row in crowd.visible}
    embedded = {"activityable", "contact", "assigned_user", "created_by"}
    assert len(rows) == 100
    for id_, row in rows.items():
        assert row.keys() == by_id[id_].keys()
        assert {k: v for k, v in row.items() if k not in embedded} == {
            k: v for k, v in by_id[id_].items() if k not in embedded
        }


def test_records_are_embedded_in_a_few_words_and_richly_when_included(crowd: Crowd) -> None:
    plain = crowd.client.rows(activityable_id="o-1", per_page=1)[0]
    assert plain["activityable"] == {"id": "o-1", "name": "opportunities o-1"}
    for spelling in ("activityable,assignedUser,contact", "ACTIVITYABLE, assigned_user"):
        rich = crowd.client.rows(activityable_id="o-1", per_page=1, includes=spelling)[0]
        assert rich["activityable"]["value"] == 150000.0
        assert rich["assigned_user"]["name"].startswith("users ")


def test_deleted_activities_are_in_no_list(crowd: Crowd) -> None:
    gone = {row["id"] for row in crowd.deleted}
    assert gone
    for path in ("/activities", "/activities/overdue"):
        assert not gone & set(walked_by_cursor(crowd.client, path, {}, 100, 0))


def test_days_overdue_are_whole_days(crowd: Crowd) -> None:
    now = datetime.now(UTC)
    for row in crowd.client.rows("/activities/overdue", per_page=100):
        due = due_of(row)
        assert due is not None
        assert row["days_overdue"] in {(now - due).days, (datetime.now(UTC) - due).days}
        assert row["is_overdue"] is True


def test_a_bare_day_includes_its_last_instant_even_the_last_day_there_is(client: Client) -> None:
    last = client.create(due_at="9999-12-31T23:59:59.999999Z")
    first = client.create(due_at="0001-01-01T00:00:00Z")
    assert [row["id"] for row in client.rows(due_date_from="9999-12-31", due_date_to="9999-12-31")] == [last["id"]]
    assert [row["id"] for row in client.rows(due_date_to="0001-01-01")] == [first["id"]]
    both = client.rows(due_date_from="0001-01-01", due_date_to="9999-12-31", tz="Asia/Tokyo")
    assert [row["id"] for row in both] == [first["id"], last["id"]]


def test_what_is_late_is_counted_exactly_at_the_ends_of_days_and_months(client: Client) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [today, today.replace(day=1), (today.replace(day=1) - timedelta(days=1)).replace(day=1)]
    ends += [today - timedelta(days=n) for n in (1, 40, 400, 4000)] + [today + timedelta(days=2)]
    dues = [end + timedelta(microseconds=n) for end in ends for n in (-1, 0, 1)]
    late = sum(due < datetime.now(UTC) for due in dues)
    for n, due in enumerate(dues):
        client.create(due_at=due.isoformat(), priority=PRIORITIES[n % 2])
    for narrowed in ({}, {"priority": PRIORITIES[0]}, {"assigned_user_id": "me"}):
        meta = client.ok("GET", "/activities/overdue", params={"per_page": 1, **narrowed})["meta"]
        assert meta["total"] == len(walked_by_cursor(client, "/activities/overdue", narrowed, 100, 0)) > 0
    assert client.ok("GET", "/activities/overdue")["meta"]["total"] == late


def test_a_cursor_goes_on_where_it_was_though_others_come_and_go(client: Client) -> None:
    """A page by number would repeat a row once one is put before it; a cursor does not."""
    made = [client.create(due_at=f"2030-01-{day:02}T10:00:00Z") for day in range(1, 7)]
    first = client.ok("GET", "/activities", params={"per_page": 3})
    client.create(due_at="2029-12-31T10:00:00Z")
    client.delete(made[1])
    rest = client.ok("GET", "/activities", params={"per_page": 3, "cursor": first["meta"]["next_cursor"]})
    assert [row["id"] for row in rest["data"]] == [row["id"] for row in made[3:]]
    assert rest["meta"]["next_cursor"] is None
