"""The read models there are, by name. Each folds states into its own table and leans on none of the others."""

from collections.abc import Mapping
from types import MappingProxyType

from projections.activity_changes import projection as activity_changes
from projections.activity_list import projection as activity_list
from projections.activity_search import projection as activity_search
from projections.directory import projection as directory
from projections.follow_ups import projection as follow_ups
from projections.overdue import projection as overdue
from projections.read_model import ReadModel

_PROJECTIONS = (activity_list, activity_search, overdue, directory, follow_ups, activity_changes)

READ_MODELS: Mapping[str, ReadModel] = MappingProxyType({p.MODEL.name: p.MODEL for p in _PROJECTIONS})
