"""Query parameters of lists, each named in its error. Lists are by comma; unknown parameters are refused."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import WithJsonSchema as SchemaIs

from api.http.reading import place_of
from api.http.time_parameters import ActivityTimeParameters, TimeParameters
from api.http.tokens import Caller
from application.event_store.mapper import record_key
from domain.json_schema import Schema
from domain.record.drafts import TimeZone
from domain.refusals import Invalid
from domain.values import Instant, PlainText, Reference, Tag
from domain.vocabulary import ActivityType, Priority, RecordKind, RelatedType, Status, Word
from projections.filters import ActivityFilter
from projections.paging import Place
from projections.resource import INCLUDES


class Listed(Word):
    """What a list's status filter understands besides the six stored statuses."""

    OVERDUE = "overdue"
    OPEN = "open"
    CLOSED = "closed"


def _by_comma(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    return [part.strip() for one in values for part in str(one).split(",") if part.strip()]


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _included(names: list[str]) -> list[str]:
    unknown = [name for name in names if name.lower() not in INCLUDES]
    if unknown:
        raise ValueError("must be among assignedUser, contact, activityable")
    return names


def _decimal(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("must be a whole number")
    return value


Commas = BeforeValidator(_by_comma)
PerPage = Annotated[int, Field(ge=1, le=100), BeforeValidator(_decimal)]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_decimal)]
Direction = Annotated[Literal["asc", "desc"], BeforeValidator(_lower)]
Text = Annotated[PlainText, Field(min_length=1, max_length=256)]
_instant: TypeAdapter[datetime] = TypeAdapter(Instant)

_one_of_many = Schema(pattern=r"^[^\s,\x00-\x1f\x7f-\x9f]([^,\x00-\x1f\x7f-\x9f]*[^\s,\x00-\x1f\x7f-\x9f])?$")
References = Annotated[list[Annotated[Reference, _one_of_many]], Commas]
_DAY, _INSTANT = ({"type": "string", "format": named} for named in ("date", "date-time"))
DayOrInstant = Annotated[str, SchemaIs({"anyOf": [_DAY, _INSTANT]})]
Includable = Annotated[str, SchemaIs({"type": "string", "enum": ["assignedUser", "contact", "activityable"]})]
AnyStatus = Annotated[Status | Listed, SchemaIs({"type": "string", "enum": [*Status, *Listed]})]


class PageParameters(BaseModel):
    """Which page of a list, and what to include in its rows."""

    model_config = ConfigDict(extra="forbid")

    per_page: PerPage = 25
    page: PageNumber | None = None
    cursor: Annotated[str, Field(max_length=512)] | None = None

    def place(self) -> Place:
        return place_of(self.page, self.per_page, self.cursor)


class IncludeParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    includes: Annotated[list[Includable], Commas, AfterValidator(_included)] = []

    def included(self) -> frozenset[str]:
        return frozenset(INCLUDES[name.lower()] for name in self.includes)


class DetailParameters(IncludeParameters, ActivityTimeParameters):
    pass


class FilterParameters(PageParameters, IncludeParameters, TimeParameters):
    """What every list of activities may be narrowed by. Source: SynthesQ guide, "Get All Activities"."""

    type: Annotated[list[ActivityType], Commas] = []
    status: Annotated[list[AnyStatus], Commas] = []
    priority: Annotated[list[Priority], Commas] = []
    assigned_user_id: References = []
    activityable_type: Annotated[list[RelatedType], Commas] = []
    activityable_id: References = []
    contact_id: References = []
    tags: Annotated[list[Annotated[Tag, _one_of_many]], Commas] = []
    due_date_from: DayOrInstant | None = None
    due_date_to: DayOrInstant | None = None
    tz: TimeZone = "UTC"
    search: Text | None = None

    def filter(self, caller: Caller) -> ActivityFilter:
        due_from, due_until, due_before = self._due()
        users = [caller.user_id if user == "me" else user for user in self.assigned_user_id]
        kinds = self.activityable_type or list(RelatedType)
        return ActivityFilter(
            types=tuple(self.type),
            statuses=tuple(self.status),
            priorities=tuple(priority.rank for priority in self.priority),
            assignees=tuple(record_key(RecordKind.USER, user) for user in users),
            related_types=() if self.activityable_id else tuple(self.activityable_type),
            related=tuple(record_key(kind, one) for one in self.activityable_id for kind in kinds),
            contacts=tuple(record_key(RecordKind.CONTACT, contact) for contact in self.contact_id),
            tags=tuple(self.tags),
            due_from=due_from,
            due_until=due_until,
            due_before=due_before,
            text=self.search,
        )

    def _due(self) -> tuple[datetime | None, datetime | None, datetime | None]:
        """From (included), until (included), before (not included): days are whole days of the time zone."""
        zone = ZoneInfo(self.tz)
        due_from = _moment("due_date_from", self.due_date_from)
        due_to = _moment("due_date_to", self.due_date_to)
        start = _start_of(due_from, zone) if isinstance(due_from, Day) else due_from
        if isinstance(due_to, Day):
            return start, None, _start_of(Day(due_to.ordinal + 1), zone)
        return start, due_to, None


class Day:
    """A calendar day by its ordinal; the day after the last one is beyond every date."""

    def __init__(self, ordinal: int) -> None:
        self.ordinal = ordinal


def _start_of(day: Day, zone: ZoneInfo) -> datetime | None:
    """None for the day after the last one: nothing is later."""
    if day.ordinal > date.max.toordinal():
        return None
    try:
        return datetime.combine(date.fromordinal(day.ordinal), time(), tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _moment(field: str, said: str | None) -> datetime | Day | None:
    """A whole day, or an instant. A plus that a URL turned into a space is taken for a plus."""
    if said is None:
        return None
    try:
        if len(said) == 10:
            return Day(date.fromisoformat(said).toordinal())
        return _instant.validate_python(said.replace(" ", "+"))
    except (ValueError, ValidationError):
        raise Invalid(field, "must be a day such as 2025-12-20 or an instant such as 2025-12-20T14:00:00Z") from None


class ListParameters(FilterParameters):
    sort_by: Annotated[Literal["due_at", "created_at", "priority"], BeforeValidator(_lower)] = "due_at"
    sort_direction: Direction = "asc"


class OverdueParameters(FilterParameters):
    sort_by: Annotated[Literal["due_at", "days_overdue", "priority", "entity_value"], BeforeValidator(_lower)] = (
        "due_at"
    )
    sort_direction: Direction = "asc"


class SearchParameters(FilterParameters):
    q: Annotated[PlainText, Field(min_length=2, max_length=256)]


class FollowUpParameters(PageParameters, IncludeParameters, TimeParameters):
    state: Annotated[Literal["open", "satisfied", "all"], BeforeValidator(_lower)] = "open"


class DirectoryParameters(PageParameters):
    search: Text | None = None
    account_id: Reference | None = None
    sort_by: Annotated[Literal["created_at", "name"], BeforeValidator(_lower)] = "created_at"
    sort_direction: Direction = "asc"
