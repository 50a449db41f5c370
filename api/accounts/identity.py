"""SEAM until api.http.identity offers accounts_caller_of."""
from fastapi import Request

from api.http.identity import caller_of
from api.http.problems import Problem
from api.http.tokens import Caller


def accounts_caller_of(request: Request) -> Caller:
    headers = request.headers
    if "x-api-key" not in headers:
        raise Problem("unauthenticated", "Send X-API-Key")
    caller = caller_of(request)
    if "x-organization-id" not in headers:
        raise Problem("organization_required")
    return caller
