"""What the document says before its operations: conventions, and what each group of them is for."""

SUMMARY = "CRM activities: calls, meetings, tasks and notes with the records they are about"

DESCRIPTION = """\
Every interaction with leads, customers, opportunities, contacts and accounts, with its whole history.

**Answers** that went well are `{"success": true, "message", "data"}`; lists add `meta`. Everything else is a problem
document (RFC 9457, `application/problem+json`) that is `success: false` too; its `type` leads to a page about it.

**Credentials.** A bearer token says who acts, an API key which client asks. On `/api/v1/crm` the token suffices, or a
key with `X-Acting-User-ID`; on `/v1/accounts` the token, the key and `X-Organization-ID` are all needed. What belongs
to another organisation is answered as what does not exist.

**Reading your own writes** needs nothing: a read that arrives after an acknowledged write sees it. Where it cannot
within a second, `Projection-Lag` says so, or the answer is 503 under `Prefer: handling=strict`.

**Repeating.** Every command takes an `Idempotency-Key`. **Concurrency.** Single resources have an `ETag`, and commands
on them honour `If-Match`.

**Limits.** Bodies are at most 256 KiB of UTF-8 JSON, 32 levels deep, each key once, integers of 64 bits. Instants are
RFC 3339 with an offset, in the years 1 to 9999 in UTC, and are answered in UTC. Texts have no control characters but
tab and line ends. Words of a closed list are read in any case. Unknown fields and parameters are refused by name.
"""

TAGS = [
    {
        "name": "activities",
        "description": "Schedule, track and complete them; find them; see what happened to them. "
        "`allowed_actions` in each tells what may be done to it now.",
    },
    {
        "name": "directory",
        "description": "The records activities are about and the people involved. Ids may be your own (PUT).",
    },
    {
        "name": "audit",
        "description": "The log itself, for auditors and for systems that follow it: who did what, when, to what. And "
        "proof that it is what it was: every command is answered with an `Audit-Receipt`; within a minute a signed "
        "checkpoint covers it. `activities audit export` writes what can be verified offline.",
    },
    {
        "name": "erasure",
        "description": "The personal data of one person, erased for good: in the log, in every table, in search. "
        "That it was done, when, by whom and on what ground is itself on record.",
    },
    {"name": "api keys", "description": "Credentials of clients. The text of a key is shown once, when it is made."},
    {
        "name": "accounts",
        "description": "The same activities, as accounts see them: camel case, three headers, three statuses.",
    },
    {"name": "operation", "description": "Is it alive, is it ready, what does it measure? No credentials needed."},
]

SCOPES = {
    "activities": ("activities:read", "activities:write"),
    "directory": ("records:read", "records:write"),
    "erasure": ("admin", "admin"),
    "audit": ("audit:read", "audit:read"),
    "api keys": ("admin", "admin"),
    "accounts": ("activities:read", "activities:write"),
}
"""By tag, the scope for reading and the scope for commands."""
