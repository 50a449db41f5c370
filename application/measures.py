"""What the service measures of its commands, for Prometheus. Names here are a contract with whoever watches."""

from collections.abc import Sequence
from functools import lru_cache

from prometheus_client import Counter, Histogram

from application.command import Answer, Order
from domain.refusals import Refusal

COMMANDS = Counter("activities_commands", "Commands by what became of them", ["command", "outcome"])
BATCH_SIZE = Histogram("activities_batch_size", "Commands served together", buckets=(1, 2, 4, 8, 16, 32, 64, 512))
BATCH_SECONDS = Histogram(
    "activities_batch_seconds",
    "From taking the log to the commit's acknowledgement",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

_counted_as = lru_cache(maxsize=1024)(COMMANDS.labels)


def count(orders: Sequence[Order], outcomes: Sequence[Answer | Exception], seconds: float) -> None:
    """Count a batch that was served."""
    BATCH_SIZE.observe(len(orders))
    BATCH_SECONDS.observe(seconds)
    for order, outcome in zip(orders, outcomes, strict=True):
        _counted_as(type(order.command).__name__, _said(outcome)).inc()


def _said(outcome: Answer | Exception) -> str:
    if isinstance(outcome, Answer):
        return "replayed" if outcome.replayed else "ok"
    return outcome.code if isinstance(outcome, Refusal) else "failed"
