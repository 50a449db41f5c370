"""Erasing the personal data of one person: of a record, or of an outsider known by an email address."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from api.http.commanding import Commanding, Commands
from api.http.directory import NOUNS
from api.http.envelope import enveloped, ok
from api.http.staleness import changed_since
from api.http.strict_route import StrictRoute
from application.desk import Desk
from application.erasure.erase import Outcome, Person, Who, erase
from application.erasure.tidying import tidy
from application.refusals import StaleVersion
from domain.erasure.drafts import Erasure, ParticipantErasure
from domain.personal_data import PERSONS
from domain.vocabulary import RecordKind
from projections.resource import to_json

router = APIRouter(route_class=StrictRoute, tags=["erasure"])
Erases = Annotated[Commanding, Depends(Commands("admin"))]


@router.post("/participants/erase", name="erase_participant")
async def erase_participant(body: ParticipantErasure, request: Request, commands: Erases) -> Response:
    """Erase an outsider: whoever took part in activities under an email address, and is nobody's record."""
    return await _erased(Person(commands.caller.organization_id, email=body.email), body, request, commands)


def add_routes(kind: RecordKind, noun: str) -> None:
    """The route of one kind of record."""

    @router.post(f"/{noun}/{{record_id}}/erase", name=f"erase_{kind.value}")
    async def erase_record(record_id: str, body: Erasure, request: Request, commands: Erases) -> Response:
        person = Person(commands.caller.organization_id, kind, record_id)
        return await _erased(person, body, request, commands)


for _kind, _noun in NOUNS.items():
    if _kind in PERSONS:
        add_routes(_kind, _noun)


async def _erased(person: Person, wanted: Erasure, request: Request, commands: Commanding) -> Response:
    desk: Desk = request.app.state.desk
    said = commands.who
    who = Who(said["actor"], said["request_id"], said["expected_version"])
    try:
        outcome = await erase(desk, person, wanted, who)
    except StaleVersion as stale:
        raise await changed_since(request.app.state.reader, person.organization_id, stale) from None
    answer = ok(enveloped(_message(wanted, outcome), to_json(_shown(person, wanted, outcome))))
    if outcome.erasure_id is not None and not outcome.already:
        answer.background = BackgroundTask(tidy, request.app.state.settings.database_url)
    return answer


def _message(wanted: Erasure, outcome: Outcome) -> str:
    if wanted.dry_run:
        return "Nothing was erased: this is what there is"
    if outcome.already:
        return "Erased already"
    return "Nothing is known of them" if outcome.erasure_id is None else "Erased successfully"


def _shown(person: Person, wanted: Erasure, outcome: Outcome) -> dict[str, object]:
    return {
        "erasure_id": outcome.erasure_id,
        "kind": "external" if person.kind is None else person.kind,
        "id": person.record_id,
        "basis": wanted.basis,
        "reference": wanted.reference,
        "activities": outcome.activities,
        "in_plain": outcome.in_plain,
        "dry_run": wanted.dry_run,
        "already": outcome.already,
    }
