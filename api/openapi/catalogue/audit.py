"""What auditors ask of the whole log."""

from api.openapi.catalogue.answering import enveloped
from api.openapi.examples.activities import CURSOR_META
from api.openapi.examples.audit import CHANGE, EVENT, FEED_META
from api.openapi.shapes.audit import AuditChangePage, AuditEventPage
from api.openapi.told import Answer, Told

AUDIT = {
    "list_audit_events": Told(
        "Follow the log",
        {
            200: Answer(
                AuditEventPage,
                {"the_last_one": enveloped("Audit events retrieved successfully", [EVENT], meta=FEED_META)},
                "A stretch of the log; or a stream of it, each entry as `data` with its position as `id`",
                streamed=True,
            )
        },
        description="The organisation's log after a position: every fact of every kind, oldest first, none left out. "
        "Positions have no gaps, so whoever has read up to one has read everything before it.\n\n"
        "With `Accept: text/event-stream` it is server-sent events that go on as more is recorded: each has the "
        "position as its `id`, and whoever comes back with it as `Last-Event-ID` goes on after it. Comments are "
        "heartbeats. The stream ends when the credentials do (`event: end`) and when the service restarts.",
    ),
    "list_audit_changes": Told(
        "List who changed what",
        {
            200: Answer(
                AuditChangePage,
                {"moved": enveloped("Audit changes retrieved successfully", [CHANGE], meta=CURSOR_META)},
                "A page of changes",
            )
        },
        description="Who changed what in the organisation after one moment and up to another, oldest first, each "
        "with the values before and after. `activityable_type` and `activityable_id` find the changes of activities "
        "that are, or were until then, about these records, and those of the records themselves. Where most of the "
        "log is about other records a page may have fewer rows than asked for and yet a `next_cursor`.",
    ),
}
