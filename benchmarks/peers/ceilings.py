"""The ceilings: what the HTTP stack alone can do.

`null` answers every GET with the same JSON, of the size of an activity in full. `echo` validates the body of a POST
with the service's own model and answers with what was said. Neither has a database; both check the token.
"""

from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.responses import Response

from api.http.envelope import JSON, enveloped
from benchmarks.data.sample import organizations
from benchmarks.peers.identity import Who
from domain.activity.activity import evolve
from domain.activity.creation import create
from domain.activity.drafts import NewActivity
from domain.record.record import Record
from domain.vocabulary import RecordKind
from projections.resource import resource


def create_app() -> FastAPI:
    app = FastAPI()
    answer = _an_answer()

    @app.post("/{path:path}", status_code=201)
    async def echo(path: str, body: NewActivity, who: Who) -> Response:
        said = body.model_dump_json(exclude_unset=True).encode()
        return Response(enveloped("Activity created successfully", said), 201, None, JSON)

    @app.get("/{path:path}")
    async def null(path: str, who: Who) -> Response:
        return Response(answer, 200, None, JSON)

    return app


def _an_answer() -> bytes:
    """An activity in full, as the service would answer."""
    now = datetime.now(UTC)
    sample = organizations(100, now)[0]
    said = NewActivity.model_validate(next(sample.activities()).said)
    facts = create(said, id="01K00000000000000000000000", actor="user-1", currency="USD", now=now)
    records = {(kind, id_): fields for kind, id_, fields in sample.records()}

    def record(kind: RecordKind | str, id_: str | None) -> Record | None:
        known = records.get((RecordKind(kind), id_ or ""))
        when = {"created_at": now, "updated_at": now}
        return None if known is None else Record(id=id_ or "", kind=RecordKind(kind), version=1, fields=known, **when)

    return enveloped("Activity retrieved successfully", resource(evolve(None, facts[0], 1), record, now))
