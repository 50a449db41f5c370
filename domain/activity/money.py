"""What an activity is worth on the bill: rate for an hour x minutes / 60, half up to the cent."""

from decimal import ROUND_HALF_UP, Decimal

from domain.activity.activity import Activity
from domain.refusals import Invalid
from domain.values import MOST_MONEY

_CENT = Decimal("0.01")


def billable_amount(activity: Activity, minutes: int | None) -> Decimal | None:
    """None where the activity is not billable or its rate or duration is not known."""
    if not activity.is_billable or activity.billable_rate is None or minutes is None:
        return None
    amount = (activity.billable_rate * minutes / 60).quantize(_CENT, rounding=ROUND_HALF_UP)
    if amount > MOST_MONEY:
        raise Invalid("duration_minutes", f"The billable amount would exceed {MOST_MONEY}")
    return amount
