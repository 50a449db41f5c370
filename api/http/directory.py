"""The directory: leads, customers, opportunities, contacts, accounts and users that activities refer to."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from api.http.answers import record_answer
from api.http.commanding import Commanding, Commands
from api.http.histories import history_of
from api.http.parameters import DirectoryParameters
from api.http.reading import Asking, Asks
from api.http.strict_route import StrictRoute
from application.event_store.mapper import record_key
from application.record.commands import (
    CreateRecord,
    PutRecord,
    UpdateRecord,
    create_record,
    put_record,
    update_record,
)
from domain.record.drafts import DRAFTS
from domain.refusals import Invalid, Unknown
from domain.values import Reference
from domain.vocabulary import RecordKind
from projections.directory.query import RECORD, records

router = APIRouter(route_class=StrictRoute, tags=["directory"])
Reads = Annotated[Asking, Depends(Asks("records:read"))]
Writes = Annotated[Commanding, Depends(Commands("records:write"))]

NOUNS = {
    RecordKind.LEAD: "leads",
    RecordKind.CUSTOMER: "customers",
    RecordKind.OPPORTUNITY: "opportunities",
    RecordKind.CONTACT: "contacts",
    RecordKind.ACCOUNT: "accounts",
    RecordKind.USER: "users",
}
_reference: TypeAdapter[str] = TypeAdapter(Reference)


def _own_id(record_id: str) -> str:
    try:
        return _reference.validate_python(record_id)
    except ValidationError:
        raise Invalid("id", "must have 1 to 64 characters, none of them control characters") from None


def add_routes(kind: RecordKind, noun: str) -> None:
    """The six routes of one kind of record."""
    draft: Any = DRAFTS[kind]
    label = kind.value.capitalize()

    @router.post(f"/{noun}", status_code=201, name=f"create_{kind.value}")
    async def create(body: draft, commands: Writes) -> Response:
        command = CreateRecord(kind=kind, draft=body, **commands.who)
        return await commands.serve(create_record, command, record_answer(label))

    @router.get(f"/{noun}", name=f"list_{noun}")
    async def index(ask: Reads, wanted: Annotated[DirectoryParameters, Query()]) -> Response:
        listing = records(
            ask.organization_id,
            kind,
            search=wanted.search,
            account_id=wanted.account_id,
            sort_by=wanted.sort_by,
            descending=wanted.sort_direction == "desc",
        )
        return await ask.listed(listing, wanted.place(), f"{noun.capitalize()} retrieved successfully")

    @router.get(f"/{noun}/{{record_id}}", name=f"get_{kind.value}")
    async def show(record_id: str, ask: Reads) -> Response:
        found = await ask.point(RECORD, record_key(kind, record_id))
        if not found.rows:
            raise Unknown(label)
        shown, version = found.rows[0]
        return ask.one(f"{label} retrieved successfully", shown, version, found.behind)

    @router.get(f"/{noun}/{{record_id}}/history", name=f"get_{kind.value}_history")
    async def history(record_id: str, ask: Reads) -> Response:
        return await history_of(ask, record_key(kind, record_id), label)

    @router.patch(f"/{noun}/{{record_id}}", name=f"update_{kind.value}")
    async def update(record_id: str, body: draft, commands: Writes) -> Response:
        command = UpdateRecord(kind=kind, draft=body, record_id=record_id, **commands.who)
        return await commands.serve(update_record, command, record_answer(label))

    @router.put(f"/{noun}/{{record_id}}", name=f"put_{kind.value}")
    async def put(record_id: str, body: draft, commands: Writes) -> Response:
        command = PutRecord(kind=kind, draft=body, record_id=_own_id(record_id), **commands.who)
        return await commands.serve(put_record, command, record_answer(label))


for _kind, _noun in NOUNS.items():
    add_routes(_kind, _noun)
