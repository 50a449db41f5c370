"""Add to a decision the follow-up activity it was asked to create."""

from dataclasses import replace
from datetime import date

from application.command import Command, Context, Decision
from application.event_store.mapper import activity_key
from domain.activity.activity import Activity, evolve
from domain.activity.creation import follow_up


def followed_up(
    decision: Decision,
    activity: Activity | None,
    on: date | None,
    follow_up_id: str,
    command: Command,
    context: Context,
) -> Decision:
    """The decision with a follow-up, due `on` that day, of the activity its facts lead to."""
    for _, facts in decision.facts:
        for fact in facts:
            activity = evolve(activity, fact, 0)  # type: ignore[arg-type]  # facts here are an activity's
    assert activity is not None  # a decision with facts leads to an activity
    made = follow_up(
        activity,
        id=follow_up_id,
        on=on if on is not None else activity.follow_up_date,
        zone=context.policy.time_zone,
        actor=command.actor.user_id,
        currency=context.policy.currency,
        now=context.now,
    )
    details = {**decision.details, "follow_up_id": follow_up_id}
    return replace(decision, facts=[*decision.facts, (activity_key(follow_up_id), made)], details=details)
