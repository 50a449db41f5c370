"""The envelope around every answer that went well, and the meta of lists."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from domain.values import ABSENT

T = TypeVar("T")


class Advice(BaseModel):
    """Something that went well and could have gone better."""

    code: Literal["outcome_missing"] = Field(description="Which advice, for programs")
    message: str = Field(description="Which advice, for people")


class Answer(BaseModel, Generic[T]):
    success: Literal[True]
    message: str = Field(description="What happened, for people")
    data: T


class Warned(Answer[T], Generic[T]):
    warnings: list[Advice] = Field(ABSENT, description="Only where there are any")


class PageMeta(BaseModel):
    """Where this page stands, asked for by `page` or by nothing."""

    current_page: int
    per_page: int
    total: int
    last_page: int
    next_cursor: str | None


class CursorMeta(BaseModel):
    """Where this page stands, asked for by `cursor`."""

    per_page: int
    next_cursor: str | None


class Page(Answer[list[T]], Generic[T]):
    meta: PageMeta | CursorMeta
