"""The directory: the same six operations for each kind of record."""

from api.http.directory import NOUNS
from api.openapi.catalogue.answering import enveloped, one, page
from api.openapi.examples.records import CHANGES, NEW, history, shown
from api.openapi.shapes.activity import HistoryAnswer
from api.openapi.shapes.record import ANSWERS, PAGES
from api.openapi.told import Answer, Told
from domain.personal_data import PERSONS
from domain.vocabulary import RecordKind


def _a(kind: RecordKind) -> str:
    return f"an {kind}" if kind[0] in "ao" else f"a {kind}"


def _told(kind: RecordKind, nouns: str) -> dict[str, Told]:
    label, a_record, shape = kind.value.capitalize(), _a(kind), ANSWERS[kind]
    closed = ("erased",) if kind in PERSONS else ()
    made = one(shape, f"{label} created successfully", shown(kind), f"The new {kind}")
    changed = one(shape, f"{label} updated successfully", shown(kind, 2), f"The {kind} as it is now")
    got = one(shape, f"{label} retrieved successfully", shown(kind), f"The {kind}")
    listed = page(PAGES[kind], f"{nouns.capitalize()} retrieved successfully", shown(kind), f"A page of {nouns}")
    return {
        f"create_{kind}": Told(
            f"Create {a_record}", {201: made}, {"new": NEW[kind]}, description=f"Make {a_record}; its id is a ULID."
        ),
        f"list_{nouns}": Told(f"List {nouns}", {200: listed}, description=f"The organisation's {nouns}."),
        f"get_{kind}": Told(f"Get {a_record}", {200: got}, description=f"One {kind}, by its id."),
        f"get_{kind}_history": Told(
            f"Get {a_record}'s history",
            {
                200: Answer(
                    HistoryAnswer,
                    {"two_events": enveloped(f"{label} history retrieved successfully", history(kind))},
                    "Every event, oldest first",
                )
            },
            description=f"Every fact of the {kind}, oldest first: who, when, by which command, and what it changed.",
        ),
        f"update_{kind}": Told(
            f"Change {a_record}",
            {200: changed},
            {"changes": CHANGES[kind]},
            closed,
            description="Change some fields; null clears a field that can be empty, absent leaves it.",
        ),
        f"put_{kind}": Told(
            f"Create or change {a_record}",
            {201: made, 200: changed},
            {"new": NEW[kind]},
            closed,
            description=f"Make sure of {a_record} under an id of your own: made if it is new (201), else changed "
            "as PATCH does (200). For one that is there already `name` may be left out.",
        ),
    }


DIRECTORY = {name: told for kind, nouns in NOUNS.items() for name, told in _told(kind, nouns).items()}
