"""`activities parked ...`: streams with an event that could not be projected."""

from collections.abc import Iterator
from typing import Annotated

import typer

from api.commands.options import DataDir, database, settings_with
from application.ulids import ulid_of
from projections.parking import Parked, Queued, queue_of, retry
from projections.parking import parked as parked_streams

parked = typer.Typer(help="Streams with an event that could not be projected.", no_args_is_help=True)


@parked.command("list")
def parked_list(data_dir: DataDir = None) -> None:
    """What is parked, and why."""
    with database(settings_with(data_dir=data_dir)) as dsn:
        for one in parked_streams(dsn):
            print(f"{one.organization_id} {ulid_of(one.key)} at {one.position} {one.topic}: {one.reason}")


@parked.command("show")
def parked_show(
    stream: Annotated[str, typer.Argument(metavar="ID", help="As `parked list` shows it")],
    data_dir: DataDir = None,
) -> None:
    """One parked stream: what it waits for, what waits behind it, and what to do. Shows nothing events say."""
    with database(settings_with(data_dir=data_dir)) as dsn:
        found = [one for one in parked_streams(dsn) if ulid_of(one.key) == stream.upper()]
        if not found:
            raise typer.BadParameter("no parked stream has this id", param_hint="ID")
        for one in found:
            for line in _told(one, queue_of(dsn, one)):
                print(line)


def _told(one: Parked, queue: list[Queued]) -> Iterator[str]:
    yield f"organisation  {one.organization_id}"
    yield f"stream        {ulid_of(one.key)}"
    yield f"parked        {one.parked_at:%Y-%m-%d %H:%M:%S%z}, for its event at position {one.position}"
    yield f"reason        {one.reason}"
    yield f"waiting       {len(queue)} events, in this order:"
    for event in queue:
        made_by = f"command {event.command_id or 'unknown'}, request {event.request_id or 'unknown'}"
        yield f"  {event.position:>8}  version {event.version}  {event.topic}  {event.recorded_at:%FT%T}  {made_by}"
    yield "what to do"
    yield f"  {_advice(one)}"
    yield "  Then `activities parked retry`. Nothing is lost: until then reads show what was before it."


def _advice(one: Parked) -> str:
    if one.reason.startswith("KeyError"):
        return f"This version does not know {one.topic}: a newer one recorded it. Run that version or a newer one."
    if one.reason.endswith("cannot be folded"):
        return f"The event is not what this version takes for {one.topic}. Upgrade, or report the reason and the topic."
    return "The event holds a value no read table takes. Upgrade, or report the reason and the topic."


@parked.command("retry")
def parked_retry(data_dir: DataDir = None) -> None:
    """Project what is parked again. Exit code 1 where something stays parked."""
    with database(settings_with(data_dir=data_dir)) as dsn:
        waiting = parked_streams(dsn)
        freed = sum(retry(dsn, one) for one in waiting)
        print(f"{freed} of {len(waiting)} parked streams were projected")
        raise typer.Exit(int(freed < len(waiting)))
