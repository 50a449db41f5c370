"""What a backup says of itself. Its format is a contract for ever: a newer version restores what an older one wrote."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

NAME = "manifest.json"
FOLDER = "tables/"


class SavedTable(BaseModel):
    """One table: its member of the file is `tables/NAME.copy`, rows in PostgreSQL's text format for COPY."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    columns: list[str]
    rows: int
    bytes: int
    sha256: str

    @property
    def member(self) -> str:
        return f"{FOLDER}{self.name}.copy"


class Manifest(BaseModel):
    """Of one moment: every table as one snapshot of the database had it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["activities-backup-1"] = "activities-backup-1"
    taken_at: datetime
    migrations: list[str]
    organizations: int
    events: int
    keys: str
    tables: list[SavedTable]
