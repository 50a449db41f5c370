"""The words of the field: types, statuses, priorities, kinds of record. Stored and spoken in lower case."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A closed list of words, read in any case (both surfaces), written in lower case."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        return next((word for word in cls if word.value == value.lower()), None)


class ActivityType(Word):
    CALL = "call"
    EMAIL = "email"
    MEETING = "meeting"
    TASK = "task"
    NOTE = "note"
    DEMO = "demo"
    PRESENTATION = "presentation"
    PROPOSAL = "proposal"
    FOLLOW_UP = "follow_up"
    QUOTE = "quote"
    CONTRACT = "contract"
    APPOINTMENT = "appointment"
    VISIT = "visit"
    WEBINAR = "webinar"
    TRAINING = "training"
    SUPPORT = "support"
    ESCALATION = "escalation"
    RESEARCH = "research"
    OTHER = "other"
    CHAT = "chat"
    REVIEW = "review"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


class Status(Word):
    """`overdue` is no status: it is what an open activity is once its due date has passed."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DEFERRED = "deferred"
    WAITING = "waiting"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


OPEN = (Status.PENDING, Status.IN_PROGRESS, Status.DEFERRED, Status.WAITING)
CLOSED = (Status.COMPLETED, Status.CANCELLED)
CAN_BE_OVERDUE = (Status.PENDING, Status.IN_PROGRESS, Status.WAITING)
"""Deferred is parked on purpose, so it is never overdue."""


class Priority(Word):
    """Sorted by rank, never by letters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANK[self]


_RANK = {priority: rank for rank, priority in enumerate(Priority, start=1)}


class RecordKind(Word):
    LEAD = "lead"
    CUSTOMER = "customer"
    OPPORTUNITY = "opportunity"
    CONTACT = "contact"
    ACCOUNT = "account"
    USER = "user"


class RelatedType(Word):
    """The kinds of record an activity can be about."""

    LEAD = "lead"
    CUSTOMER = "customer"
    OPPORTUNITY = "opportunity"
    CONTACT = "contact"
    ACCOUNT = "account"


TYPE_GUIDE: dict[ActivityType, tuple[str, tuple[str, ...]]] = {
    ActivityType.CALL: ("Phone conversations", ("Sales calls", "check-ins", "support calls")),
    ActivityType.EMAIL: ("Email communications", ("Proposals", "follow-ups", "correspondence")),
    ActivityType.MEETING: ("In-person or virtual meetings", ("Demos", "QBRs", "discovery meetings")),
    ActivityType.TASK: ("Action items and to-dos", ("Research", "documentation", "internal tasks")),
    ActivityType.NOTE: ("General notes and observations", ("Meeting notes", "customer insights")),
    ActivityType.DEMO: ("Product demonstrations", ("Trial sessions", "feature showcases", "POC")),
    ActivityType.PRESENTATION: ("Formal presentations", ("Pitch decks", "stakeholder briefings")),
    ActivityType.PROPOSAL: ("Proposal-related activities", ("Proposal creation", "delivery", "review")),
    ActivityType.FOLLOW_UP: ("Follow-up activities", ("Post-meeting follow-ups", "check-ins")),
    ActivityType.QUOTE: ("Quoting activities", ("Price quotation preparation and delivery",)),
    ActivityType.CONTRACT: ("Contract-related activities", ("Contract drafting", "review", "signing")),
    ActivityType.APPOINTMENT: ("Scheduled appointments", ("On-site visits", "scheduled calls")),
    ActivityType.VISIT: ("In-person site visits", ("Customer site visits", "facility tours")),
    ActivityType.WEBINAR: ("Online seminars", ("Product webinars", "training sessions")),
    ActivityType.TRAINING: ("Training sessions", ("Customer training", "onboarding sessions")),
    ActivityType.SUPPORT: ("Support interactions", ("Technical support", "issue resolution")),
    ActivityType.ESCALATION: ("Escalation events", ("Issue escalation", "management involvement")),
    ActivityType.RESEARCH: ("Research activities", ("Market research", "competitive analysis")),
    ActivityType.OTHER: ("Miscellaneous activities", ("Any activity not covered above",)),
    ActivityType.CHAT: ("Instant messaging", ("Chat with a customer account",)),
    ActivityType.REVIEW: ("Performance discussions", ("Account and performance reviews",)),
}
"""Description and common use cases of each type, in the words of the two source documents."""
