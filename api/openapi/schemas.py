"""The schemas of the document: of requests as FastAPI has them, of answers from shapes, all put in words."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.http.directory import NOUNS
from api.openapi.glossary import FIELDS, SCHEMAS
from api.openapi.shapes.bulk import BULK_REQUESTS
from domain.record.drafts import DRAFTS

Json = dict[str, Any]

REF = "#/components/schemas/"
_NOT_PROMISED = {"multipleOf", "pattern", "maxLength", "minLength", "maxItems", "maximum", "minimum"}
"""Bounds of what is taken; of an answer they promise nothing that a client could use."""


def schemas(requests: Mapping[str, Json], shapes: Iterable[type[BaseModel]]) -> Json:
    """Every component, by name. Raises ValueError where two of a name differ."""
    taken = {name: tidied(schema) for name, schema in requests.items() if name not in _FASTAPI}
    bulk = {name: tidied(schema) for name, schema in _of(BULK_REQUESTS, "validation").items()}
    answered = {name: tidied(schema, _NOT_PROMISED) for name, schema in _of(shapes, "serialization").items()}
    found: Json = {}
    for name, schema in [*taken.items(), *bulk.items(), *answered.items()]:
        if found.setdefault(name, schema) != schema and name != "JsonValue":  # which is answered without its bounds
            raise ValueError(f"two schemas are called {name}")
    found |= {"BulkRequest": _bulk_request(), **_new_records(found)}
    return {name: explained(name, found[name]) for name in sorted(found)}


_FASTAPI = {"HTTPValidationError", "ValidationError"}


def _of(models: Iterable[type[BaseModel]], mode: JsonSchemaMode) -> Json:
    _, made = models_json_schema([(model, mode) for model in models], ref_template=f"{REF}{{model}}")
    found: Json = made["$defs"]
    return found


def tidied(schema: Json, without: Iterable[str] = ()) -> Json:
    """Without generated titles, null defaults and floats for whole numbers."""
    tidy: Json = {}
    for key, value in schema.items():
        if key == "title" or key in without or (key == "default" and value is None):
            continue
        if key == "properties":
            tidy[key] = {name: tidied(inner, without) for name, inner in value.items()}
        elif isinstance(value, dict) and key != "default":
            tidy[key] = tidied(value, without)
        elif key in ("anyOf", "oneOf", "allOf"):
            tidy[key] = [tidied(inner, without) for inner in value]
        else:
            tidy[key] = int(value) if isinstance(value, float) and value.is_integer() else value
    return tidy


def without_null(schema: Json) -> Json:
    """What is left where null is not among the things that can be said."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if not choices:
        return rest
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def explained(name: str, schema: Json) -> Json:
    """The component with each of its fields explained."""
    schema = dict(schema)
    if name in SCHEMAS:
        schema["description"] = SCHEMAS[name]
    if "properties" in schema:
        schema["properties"] = {field: _meaning(field, inner) for field, inner in schema["properties"].items()}
    return schema


def _meaning(field: str, schema: Json) -> Json:
    if field not in FIELDS:
        return schema
    word = FIELDS[field]
    return {"description": word.means, **schema}


def _bulk_request() -> Json:
    """Told apart by the action, so that each has its own parameters."""
    names = {model.__name__: actions for model, actions in BULK_REQUESTS.items()}
    return {
        "description": "One thing to do to many activities.",
        "oneOf": [{"$ref": f"{REF}{name}"} for name in names],
        "discriminator": {
            "propertyName": "action",
            "mapping": {action.value: f"{REF}{name}" for name, actions in names.items() for action in actions},
        },
    }


def used(schemas: Json, by: Iterable[Any]) -> Json:
    """Those that the document refers to, at first or second hand."""
    wanted = {name for said in by for name in _named(said)}
    while more := {name for known in wanted for name in _named(schemas[known])} - wanted:
        wanted |= more
    return {name: schemas[name] for name in sorted(wanted)}


def _named(said: Any) -> set[str]:
    return set(re.findall(rf'"{REF}(\w+)"', json.dumps(said)))


def _new_records(found: Mapping[str, Json]) -> Json:
    """A new record needs its name; a changed one does not."""
    return {
        f"New{kind.value.capitalize()}": found[DRAFTS[kind].__name__]
        | {"required": ["name"], "description": f"A new {kind}."}
        for kind in NOUNS
    }
