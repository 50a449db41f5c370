"""The OpenAPI document for tests: its operations one by one, and whether something is as a schema says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from api.app import create_app
from application.settings import Settings

Json = dict[str, Any]

_METHODS = ("get", "put", "post", "patch", "delete")
_PROBLEM = "application/problem+json"


@cache
def document() -> Json:
    app = create_app(Settings(database_url="dbname=nowhere", jwt_secret="s" * 32, api_key_pepper="p" * 32))
    return app.openapi()


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    told: Json

    def __str__(self) -> str:
        return str(self.told["operationId"])

    @property
    def id(self) -> str:
        return str(self)

    @property
    def parameters(self) -> list[Json]:
        return [resolved(one) for one in self.told["parameters"]]

    @property
    def bodies(self) -> Mapping[str, Any]:
        """Examples of its body, by name."""
        if "requestBody" not in self.told:
            return {}
        return {
            name: one["value"]
            for name, one in self.told["requestBody"]["content"]["application/json"]["examples"].items()
        }

    @property
    def body_schema(self) -> Json:
        schema: Json = self.told["requestBody"]["content"]["application/json"]["schema"]
        return schema

    def response(self, status: int) -> Json:
        """What is said of an answer with this status; there must be something."""
        assert str(status) in self.told["responses"], f"{self}: {status} is not in the document"
        return resolved(self.told["responses"][str(status)])

    @property
    def successes(self) -> Iterator[tuple[int, Json]]:
        for status in self.told["responses"]:
            if status.startswith("2"):
                yield int(status), self.response(int(status))


def operations() -> list[Operation]:
    return [
        Operation(method, path, methods[method])
        for path, methods in document()["paths"].items()
        for method in _METHODS
        if method in methods
    ]


def resolved(said: Json) -> Json:
    """What a reference of the document leads to; what is none is itself."""
    found: Any = said
    while "$ref" in found:
        place = found["$ref"].removeprefix("#/").split("/")
        found = document()
        for step in place:
            found = found[step]
    made: Json = found
    return made


def faults(schema: Json, value: Any, *, strict: bool = False) -> list[str]:
    """What is not as the schema says. Strictly, what it does not name is a fault too."""
    validator = Draft202012Validator(_at_home(schema), registry=_registry(strict), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def _at_home(schema: Any) -> Any:
    """The schema with its references made absolute."""
    if isinstance(schema, dict):
        return {k: f"urn:document{v}" if k == "$ref" else _at_home(v) for k, v in schema.items()}
    return [_at_home(one) for one in schema] if isinstance(schema, list) else schema


@cache
def _registry(strict: bool) -> Registry[Any]:
    known = _closed(document()) if strict else document()
    return Registry().with_resource("urn:document", DRAFT202012.create_resource(known))


def _closed(schema: Any) -> Any:
    """Objects have the properties that are named, and no others."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


def problem_schema(response: Json) -> Json:
    schema: Json = response["content"][_PROBLEM]["schema"]
    return schema
