"""What guards an answer is there even when everything went wrong, and says nothing of what went wrong."""

import asyncio
import logging

import httpx
import pytest

from api.app import create_app
from application.settings import Settings


def test_an_unexpected_failure_is_guarded_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(Settings(database_url="dbname=nowhere", jwt_secret="s" * 32, api_key_pepper="p" * 32))

    @app.get("/fails")
    async def fails() -> None:
        raise RuntimeError("our secret")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as web:
            return await web.get("/fails", headers={"X-Request-Id": "r-1"})

    with caplog.at_level(logging.CRITICAL):
        answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "r-1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
