"""What became of a bulk action, and its request told apart by what is to be done."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from api.http.bulk_actions import RECIPES, BulkActionName, BulkRequest
from api.openapi.shapes.envelope import Answer
from api.openapi.shapes.problem import BulkResult


class BulkOutcome(BaseModel):
    """A result for each activity, in the order they were named, each once."""

    results: list[BulkResult]
    succeeded: int = Field(description="How many it was done to")
    failed: int = Field(description="How many refused it")
    dry_run: bool = Field(description="Whether it was only tried")


class BulkAnswer(Answer[BulkOutcome]):
    """What became of the activities of a bulk action."""


def _requests() -> Iterator[tuple[type[BaseModel], list[BulkActionName]]]:
    """A request for each kind of parameters, with the actions that take them."""
    for parameters in dict.fromkeys(recipe.parameters for recipe in RECIPES.values()):
        names = [name for name, recipe in RECIPES.items() if recipe.parameters is parameters]
        needed = any(field.is_required() for field in parameters.model_fields.values())
        fields: dict[str, Any] = {
            "action": (Literal[tuple(name.value for name in names)], ...),
            "parameters": (parameters, Field() if needed else Field(default_factory=parameters)),
        }
        model = create_model(f"Bulk{parameters.__name__}", __base__=BulkRequest, __doc__=None, **fields)
        yield model, names


BULK_REQUESTS = dict(_requests())
