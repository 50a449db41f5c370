"""The rights there are. A token and a key each carry some; where both are given, those in both count."""

from typing import Literal, get_args

Scope = Literal["activities:read", "activities:write", "records:read", "records:write", "audit:read", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
DEFAULT_SCOPES: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope != "admin")
