"""Routes whose refusals speak this surface's words."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from api.accounts.words import in_these_words
from api.http.problems import of_refusal
from api.http.strict_json import StrictRoute
from domain.refusals import Refusal


class AccountRoute(StrictRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def worded(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                raise in_these_words(of_refusal(refusal)) from None

        return worded
