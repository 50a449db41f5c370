"""Routes whose refusals speak this surface's words."""

from fastapi import Request, Response

from api.accounts.words import in_these_words
from api.http.problems import of_refusal
from api.http.strict_route import StrictRoute
from domain.refusals import Refusal


class AccountRoute(StrictRoute):
    async def respond(self, request: Request) -> Response:
        try:
            return await super().respond(request)
        except Refusal as refusal:
            raise in_these_words(of_refusal(refusal)) from None
