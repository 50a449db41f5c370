"""The tables beside the activities: the records they refer to, and the audit trail."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Numeric, String, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime


class Base(DeclarativeBase):
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        Decimal: Numeric(12, 2),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(String),
    }


class Record(Base):
    __tablename__ = "records"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    value: Mapped[Decimal | None]
    stage: Mapped[str | None]


class Audit(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activities.id"))
    actor: Mapped[str]
    action: Mapped[str]
    changes: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
