"""Records of the directory: what a caller said of them, with what the service adds."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.openapi.shapes.envelope import Answer, Page
from domain.record.drafts import DRAFTS
from domain.values import ABSENT
from domain.vocabulary import RecordKind


class Record(BaseModel):
    """Fields that nobody set are left out."""

    model_config = ConfigDict(extra="ignore")

    id: str
    kind: RecordKind
    name: str
    version: int
    created_at: datetime
    updated_at: datetime
    erased_at: datetime = Field(ABSENT, description="When the person's data were erased; only where they were")


def _shown(kind: RecordKind) -> type[BaseModel]:
    said = {name: (field.annotation, field) for name, field in DRAFTS[kind].model_fields.items() if name != "name"}
    fields: dict[str, Any] = said
    return create_model(
        kind.value.capitalize(), __base__=Record, __doc__=f"The {kind} as the directory has it.", **fields
    )


def _answer(shown: type[BaseModel]) -> type[BaseModel]:
    return create_model(f"{shown.__name__}Answer", __base__=Answer[shown], __doc__=f"One {shown.__name__.lower()}.")  # type: ignore[valid-type]


def _page(shown: type[BaseModel]) -> type[BaseModel]:
    return create_model(f"{shown.__name__}Page", __base__=Page[shown], __doc__=f"A page of {shown.__name__.lower()}s.")  # type: ignore[valid-type]


RECORDS = {kind: _shown(kind) for kind in RecordKind}
ANSWERS = {kind: _answer(shown) for kind, shown in RECORDS.items()}
PAGES = {kind: _page(shown) for kind, shown in RECORDS.items()}
