"""The read models there are, by name. Each folds states into its own table and leans on none of the others."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store.mapper import State
from projections.activity_list import projection as activity_list
from projections.activity_search import projection as activity_search
from projections.directory import projection as directory
from projections.follow_ups import projection as follow_ups
from projections.overdue import projection as overdue

Write = Callable[[Connection[Any], str, Mapping[UUID, State]], None]

READ_MODELS: Mapping[str, Write] = MappingProxyType(
    {model.name: model.write for model in (activity_list, activity_search, overdue, directory, follow_ups)}
)
