"""API keys, and the operation of the service."""

from api.openapi.catalogue.answering import Json, enveloped, page
from api.openapi.shapes.others import Alive, ApiKeyAnswer, ApiKeyMade, ApiKeyPage, Ready
from api.openapi.told import Answer, Told

_KEY: Json = {
    "id": "01KCPX5T7V9W1X3Y5Z7A9B1C3D",
    "name": "importer",
    "scopes": ["activities:read", "activities:write"],
    "created_by": "01hwxyz623abc456def789ghi0",
    "created_at": "2025-12-17T22:00:00Z",
    "revoked_at": None,
}
_MADE = _KEY | {"version": 1, "key": f"crm_{_KEY['id']}_{'0123456789abcdef' * 4}"}
_REVOKED = _KEY | {"version": 2, "revoked_at": "2025-12-19T10:00:00Z"}
_LISTED = _KEY | {"last_used_at": "2025-12-18T09:30:00Z"}

_READY = {"ready": {"status": "ready"}, "degraded": {"status": "degraded", "parked": 1}}

OTHERS = {
    "create_api_key": Told(
        "Create an API key",
        {201: Answer(ApiKeyMade, {"shown_once": enveloped("API key created successfully", _MADE)}, "The new key")},
        {
            "with_scopes": {"name": "importer", "scopes": ["activities:read", "activities:write"]},
            "all_but_admin": {"name": "dashboard"},
        },
    ),
    "list_api_keys": Told(
        "List API keys",
        {200: page(ApiKeyPage, "API keys retrieved successfully", _LISTED, "A page of keys")},
    ),
    "revoke_api_key": Told(
        "Revoke an API key",
        {
            200: Answer(
                ApiKeyAnswer, {"revoked": enveloped("API key revoked successfully", _REVOKED)}, "The revoked key"
            )
        },
    ),
    "check_liveness": Told(
        "Is it alive?",
        {200: Answer(Alive, {"alive": {"status": "alive"}}, "It answers")},
        description="200 as long as the process answers at all.",
    ),
    "check_readiness": Told("Is it ready?", {200: Answer(Ready, _READY, "It is ready")}),
    "get_metrics": Told("Metrics", {}, description="What it measures, in Prometheus's text format."),
}
