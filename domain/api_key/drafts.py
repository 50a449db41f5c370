"""What a caller may say of a new API key."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.api_key.scopes import DEFAULT_SCOPES, Scope
from domain.values import Subject


class NewApiKey(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Subject = Field(description="Which client will use it")
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20)] = Field(
        list(DEFAULT_SCOPES), description="What the client may do; unless said otherwise, all but admin"
    )
