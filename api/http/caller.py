"""Whom a request speaks for, once that is known."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, for which organisation, with which rights, by which client (an API key's id, where one was given)."""

    organization_id: str
    user_id: str
    scopes: frozenset[str]
    client: str | None = None
